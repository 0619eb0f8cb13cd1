// The service itself: what it waits for, what Lyceum lets it do, what it is made of.
import type { Status } from "../../client/client.ts";
import { api } from "../api.ts";
import { now } from "../clock.ts";
import { bytes, count, DASH, duration } from "../format.ts";
import { h, html } from "../html.ts";
import { useLoad } from "../load.ts";
import { isAdmin } from "../session.ts";
import { Facts, Panel, title } from "../view/parts.ts";
import { shown } from "../view/state.ts";
import { type Column, Table } from "../view/table.ts";
import { When } from "../view/when.ts";
import { concernsOf } from "./attention.ts";
import { Checks } from "./checks.ts";
import { KeysPanel } from "./keys.ts";
import { SettingsPanel } from "./settings.ts";
import { firstDay } from "./usage.ts";

type Limit = Status["lyceum"]["limits"]["read"] & { name: string };

export function System() {
  title("System");
  const [status, reload] = useLoad("status", (signal) => api.status({ signal }), { everyMs: 3_000 });
  return html`<div class="page"><h1>System</h1>${shown(status, reload, (value) => h(Parts, { status: value }))}</div>`;
}

function Parts({ status }: { status: Status }) {
  const { queue, lyceum, database, version } = status;
  const starts = lyceum.starts;
  return html`<div class="stack">
    ${h(Findings, { status })}
    ${h(Checks, { status })}
    <div class="columns">
      <div class="stack">
      ${h(Panel, {
        title: "Lyceum",
        children: html`<div class="stack">${h(Facts, {
          facts: [
            {
              name: "Circuit",
              value: html`<span>${lyceum.circuit.state} <small>${count(lyceum.circuit.failures)} failures in a row</small></span>`,
            },
            {
              name: "Starts",
              value: html`<span>${starts?.state ?? DASH} <small>${starts?.detail}</small></span>`,
            },
            starts?.next_probe_at != null && {
              name: "Next try",
              value: h(When, { at: starts.next_probe_at }),
            },
          ],
        })}${h(Table<Limit>, { label: "Limits", columns, rows: Object.entries(lyceum.limits).map(([name, limit]) => ({ name, ...limit })), keyOf: ({ name }) => name })}</div>`,
      })}
      ${h(Panel, {
        title: "Service",
        children: h(Facts, {
          facts: [
            { name: "Version", value: version },
            { name: "Takes requests", value: status.accepting ? "yes" : "no: it is about to stop" },
            {
              name: "Database",
              value: html`<span>${database.kind} <small>${bytes(database.bytes)}</small></span>`,
            },
            database.wal_bytes !== null && { name: "Its log (WAL)", value: bytes(database.wal_bytes) },
          ],
        }),
      })}
      </div>
      <div class="stack">
      ${h(Panel, {
        title: "Backlog",
        children: h(Facts, {
          facts: [
            { name: "Wait for a start", value: count(queue.depth) },
            { name: "Oldest", value: h(When, { at: queue.oldest_waiting_at }) },
            { name: "At Lyceum", value: count(queue.live) },
            { name: "Collecting", value: count(queue.collecting) },
            { name: "In doubt", value: count(queue.in_doubt) },
            { name: "Without a wake-up", value: count(queue.without_wakeup) },
          ],
        }),
      })}
      ${h(Panel, { title: "Callbacks", children: h(CallbackFigures, { status }) })}
      </div>
    </div>
    ${status.instances && h(Panel, { title: "Instances", children: h(Table<Instance>, { label: "Instances", columns: instances, rows: status.instances, keyOf: ({ id }) => id }) })}
    ${h(KeysPanel, { from: firstDay(30) })}
    ${isAdmin() && h(SettingsPanel, {})}
  </div>`;
}

function Findings({ status }: { status: Status }) {
  const concerns = concernsOf(status, [], now.value);
  if (concerns.length > 0)
    return html`<ul class="concerns">${concerns.map(({ tone, text }) => html`<li key=${text} class=${tone}><i aria-hidden="true">!</i><span>${text}</span></li>`)}</ul>`;
  if (status.checks.some(({ ok }) => !ok)) return null;
  return html`<p class="allwell"><i class="mark good" aria-hidden="true">✓</i> Nothing is wrong with the service.</p>`;
}

type Instance = NonNullable<Status["instances"]>[number];

const instances: Column<Instance>[] = [
  { title: "Instance", show: ({ id }) => html`<code>${id}</code>` },
  { title: "Version", show: ({ version }) => version },
  { title: "Started", show: ({ started_at }) => h(When, { at: started_at }) },
  { title: "Last sign of life", show: ({ last_seen_at }) => h(When, { at: last_seen_at }) },
  {
    title: "Clock off by",
    numeric: true,
    minor: true,
    show: ({ clock_offset_ms }) => duration(Math.abs(clock_offset_ms)),
  },
];

const columns: Column<Limit>[] = [
  { title: "Calls", show: ({ name }) => name },
  {
    title: "Limit",
    numeric: true,
    show: ({ limit }) => (limit === null ? "none" : `${count(limit.max)} per ${duration(limit.window_ms)}`),
  },
  { title: "Used", numeric: true, show: ({ used }) => count(used) },
  { title: "Left", numeric: true, show: ({ remaining }) => count(remaining) },
  { title: "Waiting", numeric: true, minor: true, show: ({ waiting }) => count(waiting) },
  {
    title: "Paused until",
    minor: true,
    show: ({ paused_until }) => paused_until && h(When, { at: paused_until }),
  },
];

export function CallbackFigures({ status: { callbacks } }: { status: Status }) {
  const { detection_delay_ms: delay } = callbacks;
  const delays = (of: typeof delay.poll) =>
    of === null ? DASH : html`<span>${duration(of.p50)} <small>p95 ${duration(of.p95)}</small></span>`;
  return h(Facts, {
    facts: [
      { name: "Mode", value: callbacks.mode.replaceAll("_", " ") },
      {
        name: "Health",
        value: html`<span>${callbacks.health} <small>${count(callbacks.recently_missed)} of the last ${count(callbacks.judged)} missed</small></span>`,
      },
      { name: "Received", value: count(callbacks.received) },
      { name: "Early", value: count(callbacks.early) },
      { name: "Duplicate", value: count(callbacks.duplicate) },
      { name: "Late", value: count(callbacks.late) },
      { name: "Missed", value: count(callbacks.missed) },
      { name: "Rejected", value: count(callbacks.rejected) },
      { name: "Known by callback after", value: delays(delay.callback) },
      { name: "Known by polling after", value: delays(delay.poll) },
    ],
  });
}
