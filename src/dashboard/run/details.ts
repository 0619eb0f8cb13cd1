// The choice in the waterfall: an attempt with its request and answer, a callback as it came, or a check.
import { useState } from "preact/hooks";
import type { Execution, Run } from "../../client/client.ts";
import { api } from "../api.ts";
import { now } from "../clock.ts";
import { clock, credits, DASH, duration } from "../format.ts";
import { h, html } from "../html.ts";
import { useLoad } from "../load.ts";
import { CallbackList } from "../view/callbacks.ts";
import { Id } from "../view/copy.ts";
import { type Fact, Facts } from "../view/parts.ts";
import { shown } from "../view/state.ts";
import { Badge } from "../view/status.ts";
import type { Mark } from "./marks.ts";
import type { Choice } from "./waterfall.ts";

export function Details({ run, marks, choice }: { run: Run; marks: Mark[]; choice: Choice }) {
  const execution =
    run.executions.find(({ attempt }) => attempt === choice?.attempt) ?? run.executions.at(-1);
  if (execution === undefined)
    return html`<aside class="details"><h2>No attempt yet</h2><p>The run waits for its start.</p></aside>`;
  const mark = marks.find(({ id }) => id === choice?.mark);
  if (mark !== undefined) return h(Chosen, { mark, execution });
  return h(Attempt, { run, execution, marks: marks.filter(({ attempt }) => attempt === execution.attempt) });
}

const at = (moment: string | null) => (moment === null ? DASH : clock(moment, now.peek()));

function Chosen({ mark, execution }: { mark: Mark; execution: Execution }) {
  const { callback, event } = mark;
  const sinceEnd = execution.ended_at === null ? null : mark.at - Date.parse(execution.ended_at);
  const facts: (Fact | null | false)[] = [
    { name: "Attempt", value: execution.attempt },
    { name: "Time", value: clock(mark.at, now.peek()) },
    sinceEnd !== null &&
      mark.type !== "end" && {
        name: "After the end",
        value: sinceEnd < 0 ? `${duration(-sinceEnd)} before` : duration(sinceEnd),
      },
    ...Object.entries(event?.data ?? {}).map(([name, value]) => ({
      name: name.replaceAll("_", " "),
      value: value === null ? DASH : typeof value === "object" ? JSON.stringify(value) : String(value),
    })),
  ];
  return html`<aside class="details" aria-label=${mark.text}><h2>${mark.text[0]?.toUpperCase()}${mark.text.slice(1)}</h2>${h(Facts, { facts })}
    ${callback && h(CallbackList, { callbacks: [callback] })}</aside>`;
}

function Attempt({ run, execution, marks }: { run: Run; execution: Execution; marks: Mark[] }) {
  const delay =
    execution.ended_at === null || execution.detected_at === null
      ? null
      : Date.parse(execution.detected_at) - Date.parse(execution.ended_at);
  const callbacks = marks.flatMap(({ callback }) => callback?.disposition ?? []);
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
    { name: "Callbacks", value: callbacks.join(", ") || "none" },
    execution.next_check_at !== null && { name: "Next check", value: at(execution.next_check_at) },
    { name: "Id", value: h(Id, { id: execution.id }) },
    execution.lyceum_execution_id !== null && {
      name: "At Lyceum",
      value: h(Id, { id: execution.lyceum_execution_id }),
    },
  ];
  return html`<aside class="details" aria-label=${`Attempt ${execution.attempt}`}><h2>Attempt ${execution.attempt}</h2>${h(Facts, { facts })}${h(Request, { run })}</aside>`;
}

/** Read when it is opened. */
function Request({ run }: { run: Run }) {
  const [isOpen, setOpen] = useState(false);
  const toggle = (event: Event) => setOpen((event.currentTarget as HTMLDetailsElement).open);
  return html`<details onToggle=${toggle}><summary>Request</summary>${isOpen && h(Spec, { runId: run.id })}</details>`;
}

function Spec({ runId }: { runId: string }) {
  const [loaded, reload] = useLoad(`spec ${runId}`, (signal) => api.spec(runId, { signal }));
  return shown(
    loaded,
    reload,
    ({ spec }) =>
      html`<pre class="terminal" tabindex="0" aria-label="Request">${JSON.stringify(spec, null, 2)}</pre>`,
  );
}
