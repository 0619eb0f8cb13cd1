// Alert rules and dashboard against the real /metrics: every metric, label and label value that they name is there.

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { image, type Service, startService } from "../support/service.ts";
import { readExposition, type Series } from "./exposition.ts";
import { groupingLabelsOf, selectorsOf } from "./promql.ts";
import { rules } from "./rules.ts";
import { read } from "./service-facts.ts";

interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { refId: string; expr: string; legendFormat: string }[];
}

const dashboard = JSON.parse(read("ops/grafana/proctor.json")) as { panels: Panel[] };
const graphs = dashboard.panels.filter(({ type }) => type !== "row");

/** Prometheus adds these to whatever it scrapes. */
const ADDED_METRICS = ["up"];
const ADDED_LABELS = ["job", "instance"];

let service: Service;
let scraped: Series[];
beforeAll(async () => {
  const metrics = createMetrics({ process: true });
  service = await startService({ surroundings: { metrics } });
  // Some series begin with their first event.
  metrics.faults.inc({ where: "test" });
  metrics.deliverySeconds.observe({ outcome: "delivered" }, 1);
  await service.run(image());
  await service.nobody.get("/v1/jobs");
  scraped = readExposition((await service.nobody.get("/metrics")).text);
});
afterAll(() => service.close());

/** Names in an expression that no series has. */
function unknownIn(expression: string): string[] {
  const selectors = selectorsOf(expression).filter(({ metric }) => !ADDED_METRICS.includes(metric));
  const labels = groupingLabelsOf(expression);
  const all = new Set(selectors.flatMap(({ metric }) => labelsOf(metric)));
  return [
    ...selectors.flatMap(({ metric, matchers }) =>
      scraped.some((series) => series.metric === metric)
        ? matchers.flatMap((matcher) => unknownMatcher(metric, matcher))
        : [`metric ${metric}`],
    ),
    ...labels.filter((label) => !all.has(label)).map((label) => `label ${label}`),
  ];
}

function unknownMatcher(
  metric: string,
  { label, operator, value }: { label: string; operator: string; value: string },
) {
  if (ADDED_LABELS.includes(label)) return [];
  const values = scraped.filter((series) => series.metric === metric).map(({ labels }) => labels[label]);
  if (values.every((known) => known === undefined)) return [`label ${label} of ${metric}`];
  // HTTP statuses come as they come; the values of all other labels are closed lists, there from the start.
  if (label === "status" && metric.startsWith("proctor_http")) return [];
  if (label === "outcome" && metric.startsWith("proctor_lyceum")) return [];
  const words = operator.includes("~") ? value.split("|") : [value];
  return words.filter((word) => !values.includes(word)).map((word) => `${label}="${word}" of ${metric}`);
}

function labelsOf(metric: string): string[] {
  return scraped.filter((series) => series.metric === metric).flatMap(({ labels }) => Object.keys(labels));
}

test.each(rules)("the alert $alert asks for metrics that exist", ({ expr }) => {
  expect(unknownIn(expr)).toEqual([]);
});

test.each(graphs)("the graph $title asks for metrics that exist", ({ targets = [] }) => {
  expect(targets.length).toBeGreaterThan(0);
  expect(targets.flatMap(({ expr }) => unknownIn(expr))).toEqual([]);
});

test("a metric, a label and a value that do not exist are found, and what is no PromQL is refused", () => {
  expect(unknownIn("max(proctor_queue_length)")).toEqual(["metric proctor_queue_length"]);
  expect(unknownIn('proctor_callbacks_total{kind="x"}')).toEqual(["label kind of proctor_callbacks_total"]);
  expect(unknownIn('proctor_callbacks_total{disposition=~"late|lost"}')).toEqual([
    'disposition="lost" of proctor_callbacks_total',
  ]);
  expect(unknownIn("sum by (state) (proctor_runs_ended_total)")).toEqual(["label state"]);
  expect(() => unknownIn("sum(rate(proctor_runs_ended_total[5m])")).toThrow("no PromQL");
});

test("the version is that of package.json", () => {
  const info = scraped.filter(({ metric }) => metric === "proctor_build_info");
  expect(info.map(({ labels, value }) => [labels.version, value])).toEqual([[packageJson.version, 1]]);
});

describe("alert rules", () => {
  test("alert rules have names, severities and texts of their own", () => {
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    expect(rules.filter(({ labels }) => !/^(critical|warning|info)$/.test(labels.severity))).toEqual([]);
    expect(rules.filter(({ annotations }) => !annotations.summary || !annotations.description)).toEqual([]);
  });

  test("alert rules have an entry each in the runbook, and the runbook has no other", () => {
    const entries = [...read("docs/runbook.md").matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
    expect(entries).toEqual(rules.map(({ alert }) => alert));
    const links = rules.map(({ annotations }) => annotations.runbook);
    expect(links).toEqual(rules.map(({ alert }) => `docs/runbook.md#${alert.toLowerCase()}`));
  });
});

describe("the dashboard", () => {
  test("numbers and describes its panels, and no two lie on each other", () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(graphs.filter(({ description }) => !description)).toEqual([]);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.filter(({ gridPos: { x, w } }) => x + w > 24)).toEqual([]);
  });
});
