// The first page: what needs a person, then the state of the whole in a few figures, then what is going on.
import type { ApiKeys, Job, Status, Usage, Webhook } from "../../client/client.ts";
import { api } from "../api.ts";
import { now } from "../clock.ts";
import { bytes, count, credits, duration, percent, rough } from "../format.ts";
import { h, html } from "../html.ts";
import { firstOf, useLoad } from "../load.ts";
import { Panel, title } from "../view/parts.ts";
import { shown } from "../view/state.ts";
import {
  budgetConcerns,
  type Concern,
  concernsOf,
  idleConcern,
  keyConcerns,
  unpricedConcern,
} from "./attention.ts";
import { Failures } from "./failures.ts";
import { FirstJob } from "./first-job.ts";
import { JobTable } from "./job-table.ts";
import { Trends } from "./trends.ts";

interface Summary {
  status: Status;
  today: Usage;
  webhooks: Webhook[];
  jobs: Job[];
  keys: ApiKeys;
}

const LATEST = 12;
/** Judged for idle GPUs. */
const RECENT = 50;

async function read(signal: AbortSignal): Promise<Summary> {
  const day = new Date().toISOString().slice(0, 10);
  const [status, today, webhooks, jobs, keys] = await Promise.all([
    api.status({ signal }),
    api.usage({ from: day, to: day, group: "key" }, { signal }),
    firstOf(api.webhooks.list(), 200),
    firstOf(api.jobs({}, { signal, limit: LATEST }), LATEST),
    api.keys({ signal }),
  ]);
  return { status, today, webhooks: webhooks.data, jobs: jobs.data, keys };
}

export function Overview() {
  title("Overview");
  const [summary, reload] = useLoad("overview", read, {
    on: ({ type }) => !type.startsWith("callback."),
    everyMs: 5_000,
  });
  const [recent] = useLoad(
    "recent runs",
    (signal) => firstOf(api.runs("all", { status: "succeeded", signal, limit: RECENT }), RECENT),
    { everyMs: 60_000 },
  );
  return shown(summary, reload, ({ status, today, webhooks, jobs, keys }) => {
    const concerns = [
      ...concernsOf(status, webhooks, now.value),
      ...keyConcerns(keys, now.value),
      ...budgetConcerns(jobs),
      unpricedConcern(today),
      recent.type === "ready" ? idleConcern(recent.value.data) : null,
    ].filter((one) => one !== null);
    if (jobs.length === 0)
      return html`<div class="page"><h1>Overview</h1>${h(Concerns, { concerns })}${h(FirstJob, {})}</div>`;
    return html`<div class="page">
      <h1>Overview</h1>
      ${h(Concerns, { concerns })}
      ${h(Tiles, { status, today, keys })}
      ${h(Trends, {})}
      <div class="columns wide-first">
        ${h(Panel, { title: "Latest jobs", aside: html`<a href="#/jobs">All jobs</a>`, children: h(JobTable, { jobs, isShort: true }) })}
        ${h(Failures, {})}
      </div>
    </div>`;
  });
}

function Concerns({ concerns }: { concerns: Concern[] }) {
  if (concerns.length === 0)
    return html`<p class="allwell"><i class="mark good" aria-hidden="true">✓</i> Nothing needs a person.</p>`;
  return html`<ul class="concerns" aria-label="Needs a person">
    ${concerns.map(({ tone, text, href }) => html`<li key=${text} class=${tone}><i aria-hidden="true">!</i><span>${text}</span><a href=${href} aria-label=${`Look into: ${text}`}>Look</a></li>`)}
  </ul>`;
}

function Tiles({ status, today, keys }: Pick<Summary, "status" | "today" | "keys">) {
  const { queue, callbacks, lyceum, database } = status;
  const starts = lyceum.limits.execution;
  const delay = callbacks.detection_delay_ms.callback ?? callbacks.detection_delay_ms.poll;
  const oldest = queue.oldest_waiting_at === null ? null : now.value - Date.parse(queue.oldest_waiting_at);
  const resets = starts?.resets_at == null ? null : Date.parse(starts.resets_at) - now.value;
  const tiles = [
    {
      name: "Waiting",
      value: count(queue.depth),
      more: oldest === null ? "nobody waits" : `oldest ${rough(Math.max(oldest, 1_000))}`,
    },
    { name: "At Lyceum", value: count(queue.live), more: `${count(queue.collecting)} collecting` },
    {
      name: "Ended today",
      value: count(today.total.executions),
      more: `${duration(today.total.duration_ms)} of compute`,
    },
    {
      name: "Starts left",
      value: starts?.limit == null ? "no limit" : `${count(starts.remaining)} of ${count(starts.limit.max)}`,
      more:
        resets !== null && resets > 0
          ? `more in ${rough(resets)}`
          : `${count(starts?.running ?? 0)} under way`,
    },
    {
      name: "Cost today",
      value: credits(today.total.cost.total),
      more: fullestBudget(keys) ?? `${credits(today.total.cost.estimated)} not billed yet`,
    },
    {
      name: "Ends known after",
      value: delay === null ? "–" : duration(delay.p50),
      more: delay === null ? callbacks.health : `p95 ${duration(delay.p95)}`,
    },
    { name: "Database", value: bytes(database.bytes), more: database.kind },
  ];
  return html`<dl class="tiles">${tiles.map(({ name, value, more }) => html`<div key=${name}><dt>${name}</dt><dd>${value}<small>${more}</small></dd></div>`)}</dl>`;
}

/** The budget of which the largest share is used. */
function fullestBudget({ data }: ApiKeys): string | null {
  const shares = data
    .flatMap(({ name, budget }) => (budget === null ? [] : [{ name, share: budget.spent / budget.limit }]))
    .toSorted((a, b) => b.share - a.share);
  const [first] = shares;
  return first === undefined ? null : `${first.name}: ${percent(first.share)} of budget`;
}
