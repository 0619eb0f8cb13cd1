// A run from its submission to its last artifact, by attempt, with its callbacks; the chosen span is explained beside
// it.
import type { Callback, Execution, Run } from "../../client/client.ts";
import { api } from "../api.ts";
import { now } from "../clock.ts";
import { clock, credits, DASH, duration, full } from "../format.ts";
import { h, html } from "../html.ts";
import { Axis, Bars, PhaseLegend } from "../job/timeline.ts";
import { firstOf, useLoad } from "../load.ts";
import { Id } from "../view/copy.ts";
import { type Fact, Facts } from "../view/parts.ts";
import { empty } from "../view/state.ts";
import { Badge } from "../view/status.ts";
import { spansOf } from "./phases.ts";

export interface Chosen {
  /** Counted from 1; null chooses the last. */
  attempt: number | null;
  choose: (attempt: number) => void;
}

export function useCallbacks(run: Run): Callback[] {
  const [callbacks] = useLoad(
    `callbacks ${run.executions.map(({ id }) => id).join()}`,
    async (signal) => {
      const latest = run.executions.slice(-MAX_ATTEMPTS);
      const lists = await Promise.all(latest.map(({ id }) => firstOf(api.callbacks(id, { signal }), 50)));
      return lists.flatMap(({ data }) => data);
    },
    { on: ({ type, run_id }) => type === "callback.received" && run_id === run.id },
  );
  return callbacks.type === "ready" ? callbacks.value : [];
}

const MAX_ATTEMPTS = 10;

export function Waterfall({ run, callbacks, chosen }: { run: Run; callbacks: Callback[]; chosen: Chosen }) {
  const spans = spansOf(run, run.ended_at === null ? now.value : now.peek());
  if (spans.length === 0) return empty("Nothing has happened yet");
  const from = Math.min(...spans.map((span) => span.from));
  const to = Math.max(
    ...spans.map((span) => span.to),
    ...callbacks.map(({ received_at }) => Date.parse(received_at ?? "") || 0),
    from + 1,
  );
  const attempts = [...new Set(spans.map(({ attempt }) => attempt))];
  const current = chosen.attempt ?? attempts.at(-1);
  return html`<div class="gantt waterfall">
    <div class="lane axis" aria-hidden="true"><span></span>${h(Axis, { spanMs: to - from })}</div>
    ${attempts.map((attempt) => {
      const own = run.executions.find((one) => one.attempt === attempt);
      return html`<div class=${`lane ${attempt === current ? "selected" : ""}`} key=${attempt}>
        <button type="button" class="plain" aria-pressed=${attempt === current} onClick=${() => chosen.choose(attempt)}>attempt ${attempt}</button>
        <span class="track">${h(Bars, { spans: spans.filter((span) => span.attempt === attempt), from, to })}
          ${callbacks.filter(({ execution_id }) => execution_id === own?.id).map((callback) => marker(callback, from, to))}</span>
      </div>`;
    })}
    <p class="legendrow">${h(PhaseLegend, {})}<span class="legend"><span>▲ callback</span></span></p>
  </div>`;
}

function marker({ id, received_at, disposition }: Callback, from: number, to: number) {
  if (received_at === null) return null;
  const left = ((Date.parse(received_at) - from) / (to - from)) * 100;
  return html`<i key=${id} class="callback" role="img" aria-label=${`callback, ${disposition}`} title=${`callback (${disposition}) at ${full(received_at)}`} style=${{ left: `${Math.max(0, Math.min(100, left))}%` }}>▲</i>`;
}

export function Details({ run, callbacks, chosen }: { run: Run; callbacks: Callback[]; chosen: Chosen }) {
  const execution = run.executions.find(({ attempt }) => attempt === chosen.attempt) ?? run.executions.at(-1);
  if (execution === undefined)
    return html`<aside class="details"><h2>No attempt yet</h2><p>The run waits for its start.</p></aside>`;
  const own = callbacks.filter(({ execution_id }) => execution_id === execution.id);
  return h(Attempt, { execution, callbacks: own });
}

function Attempt({ execution, callbacks }: { execution: Execution; callbacks: Callback[] }) {
  const at = (moment: string | null) => (moment === null ? DASH : clock(moment, now.peek()));
  const delay =
    execution.ended_at === null || execution.detected_at === null
      ? null
      : Date.parse(execution.detected_at) - Date.parse(execution.ended_at);
  const facts: (Fact | null | false)[] = [
    {
      name: "Status",
      value: html`<span>${h(Badge, { status: execution.status })}${execution.in_doubt && html` <b class="warn">in doubt</b>`}</span>`,
    },
    execution.error !== null && { name: "Error", value: execution.error },
    { name: "Hardware", value: execution.hardware ?? DASH },
    { name: "Submitted", value: at(execution.submitted_at) },
    { name: "Accepted", value: at(execution.accepted_at) },
    { name: "Started", value: at(execution.started_at) },
    { name: "Ended", value: at(execution.ended_at) },
    {
      name: "Known here",
      value: html`<span>${at(execution.detected_at)} ${delay !== null && html`<small>+${duration(Math.max(0, delay))} by ${execution.detected_by}</small>`}</span>`,
    },
    { name: "Ran for", value: duration(execution.duration_ms) },
    {
      name: "Cost",
      value: html`<span>${credits(execution.cost)} <small>${execution.cost_source}</small></span>`,
    },
    { name: "Exit code", value: execution.return_code ?? DASH },
    {
      name: "Callbacks",
      value: callbacks.length === 0 ? "none" : callbacks.map(({ disposition }) => disposition).join(", "),
    },
    execution.next_check_at !== null && { name: "Next check", value: at(execution.next_check_at) },
    { name: "Id", value: h(Id, { id: execution.id }) },
    execution.lyceum_execution_id !== null && {
      name: "At Lyceum",
      value: h(Id, { id: execution.lyceum_execution_id }),
    },
  ];
  return html`<aside class="details" aria-label=${`Attempt ${execution.attempt}`}><h2>Attempt ${execution.attempt}</h2>${h(Facts, { facts })}</aside>`;
}
