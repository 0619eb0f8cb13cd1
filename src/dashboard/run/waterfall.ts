// A run from its submission to its last artifact, attempt by attempt, with callbacks and checks as marks. An attempt or a
// mark can be chosen; `details.ts` shows it beside the waterfall.
import type { Callback, ProctorEvent, Run } from "../../client/client.ts";
import { api } from "../api.ts";
import { now } from "../clock.ts";
import { full } from "../format.ts";
import { h, html } from "../html.ts";
import { Axis, Bars, PhaseLegend } from "../job/lanes.ts";
import { firstOf, useLoad } from "../load.ts";
import { empty } from "../view/state.ts";
import { type Mark, type MarkType, marksOf } from "./marks.ts";
import { spansOf } from "./phases.ts";

/** An attempt, counted from 1, or a mark by its id. Null chooses the last attempt. */
export type Choice = { attempt: number; mark: string | null } | null;

export interface Chosen {
  choice: Choice;
  choose: (choice: Choice) => void;
}

const MAX_ATTEMPTS = 10;
const MAX_CALLBACKS = 50;
const MAX_EVENTS = 500;

interface Happened {
  callbacks: Callback[];
  events: ProctorEvent[];
}

export function useMarks(run: Run): Mark[] {
  const [loaded] = useLoad(
    `marks ${run.executions.map(({ id }) => id).join()}`,
    async (signal): Promise<Happened> => {
      const latest = run.executions.slice(-MAX_ATTEMPTS);
      const [events, ...lists] = await Promise.all([
        firstOf(api.pastEvents(run.job_id, { runId: run.id, signal, limit: MAX_EVENTS }), MAX_EVENTS),
        ...latest.map(({ id }) => firstOf(api.callbacks(id, { signal }), MAX_CALLBACKS)),
      ]);
      return { events: events.data, callbacks: lists.flatMap(({ data }) => data) };
    },
    { on: ({ run_id }) => run_id === run.id },
  );
  const { callbacks, events } = loaded.type === "ready" ? loaded.value : { callbacks: [], events: [] };
  return marksOf(run, callbacks, events);
}

export function Waterfall({ run, marks, chosen }: { run: Run; marks: Mark[]; chosen: Chosen }) {
  const spans = spansOf(run, run.ended_at === null ? now.value : now.peek());
  if (spans.length === 0) return empty("Nothing has happened yet");
  const from = Math.min(...spans.map((span) => span.from));
  // A check that is to come may be far away: it is drawn at the edge.
  const past = marks.filter(({ type }) => type !== "next_check");
  const to = Math.max(...spans.map((span) => span.to), ...past.map(({ at }) => at), from + 1);
  const attempts = [...new Set(spans.map(({ attempt }) => attempt))];
  const current = chosen.choice?.attempt ?? attempts.at(-1);
  const lane = (
    attempt: number,
  ) => html`<div class=${`lane ${attempt === current ? "selected" : ""}`} key=${attempt}>
    <button type="button" class="plain" aria-pressed=${attempt === current && chosen.choice?.mark == null} onClick=${() => chosen.choose({ attempt, mark: null })}>attempt ${attempt}</button>
    <span class="track">${h(Bars, { spans: spans.filter((span) => span.attempt === attempt), from, to })}
      ${marks.filter((mark) => mark.attempt === attempt).map((mark) => marker(mark, from, to, chosen))}</span>
  </div>`;
  return html`<div class="gantt waterfall">
    <div class="lane axis" aria-hidden="true"><span></span>${h(Axis, { spanMs: to - from })}</div>
    ${attempts.map(lane)}
    <p class="legendrow">${h(PhaseLegend, {})}<span class="legend">${Object.values(looks).map(({ glyph, title }) => html`<span key=${title}>${glyph} ${title}</span>`)}</span></p>
  </div>`;
}

const looks: Record<MarkType, { glyph: string; title: string }> = {
  end: { glyph: "◆", title: "end at Lyceum" },
  callback: { glyph: "▲", title: "callback" },
  check: { glyph: "●", title: "check that found something" },
  next_check: { glyph: "○", title: "next check" },
};

function marker(mark: Mark, from: number, to: number, { choice, choose }: Chosen) {
  const left = Math.max(0, Math.min(100, ((mark.at - from) / (to - from)) * 100));
  const text = `${mark.text}, ${full(mark.at)}`;
  return html`<button type="button" key=${mark.id} class=${`plain marker ${mark.type}`} aria-label=${text} title=${text} aria-pressed=${choice?.mark === mark.id}
    style=${{ left: `${left}%` }} onClick=${() => choose({ attempt: mark.attempt, mark: mark.id })}>${looks[mark.type].glyph}</button>`;
}
