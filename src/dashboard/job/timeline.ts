// A job over time: each run a lane, each execution its phases. Only the lanes in sight exist.
import { useMemo, useRef, useState } from "preact/hooks";
import type { Run } from "../../client/client.ts";
import { api } from "../api.ts";
import { now } from "../clock.ts";
import { count } from "../format.ts";
import { h, html } from "../html.ts";
import { spansOf } from "../run/phases.ts";
import { Choice } from "../view/parts.ts";
import { MANY, useSight } from "../view/sight.ts";
import { empty } from "../view/state.ts";
import { Mark } from "../view/status.ts";
import { Axis, Bars, PhaseLegend } from "./lanes.ts";
import { nameOf } from "./results.ts";
import { type RowSource, useRows } from "./rows.ts";

const LANE_PX = 24;

const source: RowSource<Run> = { all: api.runs, idOf: ({ id }) => id, rowOf: (run) => run };

export function Timeline({ jobId }: { jobId: string }) {
  const { rows, isWhole, error } = useRows(jobId, source);
  const note =
    error !== null
      ? html`<p class="notice warn" role="alert">The runs could not be read in full. They are read again with the next change.</p>`
      : isWhole
        ? null
        : html`<p class="notice" role="status">Reading runs… ${count(rows.length)}</p>`;
  if (rows.length === 0) return note ?? empty("No run yet");
  return html`<div class="stack">${note}${h(Lanes, { runs: rows })}</div>`;
}

const orders: Record<string, (run: Run) => string | number> = {
  position: ({ position }) => position,
  start: ({ started_at }) => started_at ?? "9",
  hardware: ({ hardware, execution_type }) => hardware ?? execution_type ?? "",
  attempts: ({ attempts }) => -attempts,
};

function Lanes({ runs }: { runs: Run[] }) {
  const [by, setBy] = useState("position");
  const sorted = useMemo(() => inOrder(runs, by), [runs, by]);
  const ends = useMemo(() => endsOf(runs), [runs]);
  const box = useRef<HTMLDivElement>(null);
  const { first, last } = useSight(box, sorted.length, LANE_PX);
  // A job that is over is not drawn again each second.
  const at = ends.last === null ? now.value : ends.last;
  const to = Math.max(at, ends.first + 1);
  const lane = (run: Run) => html`<div class="lane" role="listitem" key=${run.id}>
    <a href=${`#/runs/${run.id}`} data-row class="clip">${h(Mark, { status: run.status })} ${nameOf(run)}${by === "hardware" ? html` <span class="faint">${run.hardware ?? run.execution_type}</span>` : null}</a>
    ${h(Bars, { spans: spansOf(run, at), from: ends.first, to })}
  </div>`;
  return html`<div class="stack">
    <div class="filters">
      ${h(Choice, { label: "lanes by", value: by, options: Object.keys(orders).map((value) => ({ value, label: value })), onChange: setBy })}
      ${h(PhaseLegend, {})}
    </div>
    <div class="gantt">
      <div class="lane axis" aria-hidden="true"><span></span>${h(Axis, { spanMs: to - ends.first })}</div>
      <div class=${`lanes ${sorted.length > MANY ? "many" : ""}`} ref=${box} role="list" aria-label=${`${count(sorted.length)} runs over time`} tabindex=${sorted.length > MANY ? 0 : undefined}>
        <div style=${{ paddingTop: `${first * LANE_PX}px`, paddingBottom: `${(sorted.length - last) * LANE_PX}px` }}>
          ${sorted.slice(first, last).map(lane)}
        </div>
      </div>
    </div>
  </div>`;
}

function inOrder(runs: Run[], by: string): Run[] {
  const key = orders[by];
  if (key === undefined) return runs;
  return runs
    .map((run) => ({ run, key: key(run) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ run }) => run);
}

/** Epoch milliseconds; `last` is null while a run is not over. */
function endsOf(runs: Run[]): { first: number; last: number | null } {
  let first = Number.POSITIVE_INFINITY;
  let last: number | null = 0;
  for (const { created_at, ended_at, executions } of runs) {
    first = Math.min(first, Date.parse(created_at));
    last = last === null || ended_at === null ? null : Math.max(last, Date.parse(ended_at));
    for (const { detected_at } of executions)
      if (last !== null && detected_at !== null) last = Math.max(last, Date.parse(detected_at));
  }
  return { first, last };
}
