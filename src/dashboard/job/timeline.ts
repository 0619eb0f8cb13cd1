// A job over time: each run a lane, each execution its phases, attempts one behind the other.
import { useState } from "preact/hooks";
import type { Run } from "../../client/client.ts";
import { api } from "../api.ts";
import { ticksOf } from "../chart/axis.ts";
import { now } from "../clock.ts";
import { duration } from "../format.ts";
import { h, html } from "../html.ts";
import { firstOf, useLoad } from "../load.ts";
import { type PhaseName, phaseTexts, type Span, spansOf } from "../run/phases.ts";
import { Choice } from "../view/parts.ts";
import { empty, shown } from "../view/state.ts";
import { Mark } from "../view/status.ts";
import { nameOf } from "./results.ts";

const MAX_LANES = 400;
const TICKS = 8;

export function Timeline({ jobId }: { jobId: string }) {
  const [runs, reload] = useLoad(
    `timeline ${jobId}`,
    (signal) => firstOf(api.runs(jobId, { signal, limit: MAX_LANES }), MAX_LANES),
    { on: (event) => event.job_id === jobId },
  );
  return shown(runs, reload, ({ data, more }) =>
    data.length === 0
      ? empty("No run yet")
      : html`<div class="stack">${more && html`<p class="notice">The first ${MAX_LANES} runs.</p>`}${h(Lanes, { runs: data })}</div>`,
  );
}

const orders: Record<string, (run: Run) => string | number> = {
  position: ({ position }) => position,
  start: ({ started_at }) => started_at ?? "9",
  hardware: ({ hardware, execution_type }) => hardware ?? execution_type ?? "",
  attempts: ({ attempts }) => -attempts,
};

function Lanes({ runs }: { runs: Run[] }) {
  const [by, setBy] = useState("position");
  const isLive = runs.some(({ ended_at }) => ended_at === null);
  // A job that is over is not drawn again each second.
  const at = isLive ? now.value : now.peek();
  const lanes = runs.map((run) => ({ run, spans: spansOf(run, at) }));
  const all = lanes.flatMap(({ spans }) => spans);
  const from = Math.min(...all.map((span) => span.from));
  const to = Math.max(...all.map((span) => span.to), from + 1);
  const key = orders[by] ?? orders.position;
  const sorted =
    key === undefined
      ? lanes
      : lanes.toSorted((a, b) => (key(a.run) < key(b.run) ? -1 : key(a.run) > key(b.run) ? 1 : 0));
  return html`<div class="stack">
    <div class="filters">
      ${h(Choice, { label: "lanes by", value: by, options: Object.keys(orders).map((value) => ({ value, label: value })), onChange: setBy })}
      ${h(PhaseLegend, {})}
    </div>
    <div class="gantt" role="list" aria-label="Runs over time">
      <div class="lane axis" aria-hidden="true"><span></span>${h(Axis, { spanMs: to - from })}</div>
      ${sorted.map(
        ({ run, spans }) => html`<div class="lane" role="listitem" key=${run.id}>
          <a href=${`#/runs/${run.id}`} data-row class="clip">${h(Mark, { status: run.status })} ${nameOf(run)}${by === "hardware" ? html` <span class="faint">${run.hardware ?? run.execution_type}</span>` : null}</a>
          ${h(Bars, { spans, from, to })}
        </div>`,
      )}
    </div>
  </div>`;
}

export function Bars({ spans, from, to }: { spans: Span[]; from: number; to: number }) {
  const percent = (at: number) => ((at - from) / (to - from)) * 100;
  const text = spans
    .map((span) => `attempt ${span.attempt} ${span.phase} ${duration(span.to - span.from)}`)
    .join(", ");
  return html`<span class="bars" role="img" aria-label=${text}>
    ${spans.map(
      (
        span,
        index,
      ) => html`<i key=${index} class=${`span ${span.phase} ${span.isOpen ? "open" : ""}`} title=${`attempt ${span.attempt}: ${phaseTexts[span.phase]}, ${duration(span.to - span.from)}`}
        style=${{ left: `${percent(span.from)}%`, width: `${Math.max(0.15, percent(span.to) - percent(span.from))}%` }}></i>`,
    )}
  </span>`;
}

export function Axis({ spanMs }: { spanMs: number }) {
  return html`<span class="ticks">${ticksOf(spanMs, TICKS).map((ms) => html`<i key=${ms} style=${{ left: `${(ms / spanMs) * 100}%` }}>${ms === 0 ? "0" : duration(ms)}</i>`)}</span>`;
}

export function PhaseLegend() {
  const phases = Object.keys(phaseTexts) as PhaseName[];
  return html`<span class="legend">${phases.map((phase) => html`<span key=${phase}><i class=${`swatch span ${phase}`}></i> ${phase}</span>`)}</span>`;
}
