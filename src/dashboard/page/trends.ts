// Trends: series over an hour to a week, with one cursor.
import { useState } from "preact/hooks";
import type { Stats } from "../../client/client.ts";
import { api } from "../api.ts";
import type { Line, SeriesProps } from "../chart/plot.ts";
import { Series } from "../chart/series.ts";
import { count, credits, duration } from "../format.ts";
import { h, html } from "../html.ts";
import { useLoad } from "../load.ts";
import { Chips } from "../view/parts.ts";
import { shown } from "../view/state.ts";

type Point = Stats["data"][number];

const HOUR_MS = 3_600_000;
/** Minutes are kept for a day, hours for longer. */
const spans: Record<string, { ms: number; step: "1m" | "1h" }> = {
  "1h": { ms: HOUR_MS, step: "1m" },
  "6h": { ms: 6 * HOUR_MS, step: "1m" },
  "24h": { ms: 24 * HOUR_MS, step: "1h" },
  "7d": { ms: 7 * 24 * HOUR_MS, step: "1h" },
};

export function Trends() {
  const [span, setSpan] = useState("1h");
  const { ms, step } = spans[span] ?? { ms: HOUR_MS, step: "1m" as const };
  const [stats, reload] = useLoad(
    `stats ${span}`,
    (signal) => api.stats({ from: new Date(Date.now() - ms).toISOString(), step }, { signal }),
    { everyMs: 15_000 },
  );
  const options = Object.keys(spans).map((value) => ({ value, label: value }));
  return html`<section class="stack" aria-label="Trends">
    <div class="filters">${h(Chips, { label: "Time", value: span, options, onChange: setSpan })}<span class="faint">Drag to zoom, double-click to see all.</span></div>
    ${shown(stats, reload, ({ data }) => html`<div class="columns">${chartsOf(data).map((chart) => h(Series, { key: chart.title, ...chart }))}</div>`)}
  </section>`;
}

function chartsOf(points: Point[]): SeriesProps[] {
  const line = (name: string, tone: string, of: (point: Point) => number | null, isDashed = false): Line => ({
    name,
    tone,
    values: points.map(of),
    isDashed,
  });
  const common = {
    times: points.map(({ at }) => Date.parse(at) / 1_000),
    group: "trends",
    format: count,
    height: 120,
  };
  const delay = (of: (known: NonNullable<Point["time_to_knowledge"]>) => number) => (point: Point) =>
    point.time_to_knowledge === null ? null : of(point.time_to_knowledge);
  const charts: SeriesProps[] = [
    {
      ...common,
      title: "Runs that ended",
      isStacked: true,
      lines: [
        line("succeeded", "good", ({ ended }) => ended.succeeded),
        line("failed", "bad", ({ ended }) => ended.failed),
        line("cancelled", "off", ({ ended }) => ended.cancelled),
      ],
    },
    {
      ...common,
      title: "Starts",
      isStacked: true,
      lines: [line("started", "busy", ({ started }) => started)],
    },
    {
      ...common,
      title: "Queue",
      lines: [
        line("waiting", "late", ({ waiting }) => waiting),
        line("at Lyceum", "busy", ({ alive }) => alive, true),
      ],
    },
    {
      ...common,
      title: "From the end to our knowledge",
      format: duration,
      lines: [
        line(
          "p50",
          "good",
          delay(({ p50_ms }) => p50_ms),
        ),
        line(
          "p95",
          "warn",
          delay(({ p95_ms }) => p95_ms),
          true,
        ),
        line(
          "p99",
          "bad",
          delay(({ p99_ms }) => p99_ms),
          true,
        ),
      ],
    },
    {
      ...common,
      title: "Callbacks",
      isStacked: true,
      lines: [
        line("received", "good", ({ callbacks }) => callbacks.received),
        line("early", "busy", ({ callbacks }) => callbacks.early),
        line("duplicate", "late", ({ callbacks }) => callbacks.duplicate),
        line("late", "warn", ({ callbacks }) => callbacks.late),
        line("missed", "bad", ({ callbacks }) => callbacks.missed),
        line(
          "forged",
          "off",
          ({ callbacks }) => callbacks.rejected.wrong_token + callbacks.rejected.missing_token,
        ),
      ],
    },
  ];
  // Submitters are not told what others spend.
  if (points.every(({ cost }) => cost === null)) return charts;
  const total = ({ cost }: Point) => (cost === null ? null : Math.max(0, cost.billed + cost.estimated));
  return [
    ...charts,
    { ...common, title: "Cost", format: credits, isStacked: true, lines: [line("credits", "busy", total)] },
  ];
}
