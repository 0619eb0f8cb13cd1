// One job: how it stands, what can be done with it, and its runs in every form.
import type { Job, ResultRow } from "../../client/client.ts";
import { api } from "../api.ts";
import { RunGrid } from "../chart/grid.ts";
import { now } from "../clock.ts";
import { count, credits, DASH, duration, percent, rough } from "../format.ts";
import { h, html } from "../html.ts";
import { Actions } from "../job/actions.ts";
import { Events } from "../job/events.ts";
import { Matrix } from "../job/matrix.ts";
import { type Results, useResults } from "../job/results.ts";
import { RunsTable } from "../job/runs-table.ts";
import { Timeline } from "../job/timeline.ts";
import { firstOf, useLoad } from "../load.ts";
import { href, place } from "../router.ts";
import { Id } from "../view/copy.ts";
import { Deliveries } from "../view/deliveries.ts";
import { type Fact, Facts, Tabs, title } from "../view/parts.ts";
import { shown } from "../view/state.ts";
import { Badge, StatusBar } from "../view/status.ts";
import { Lasting, When } from "../view/when.ts";

export function JobPage({ id }: { id: string }) {
  const [loaded, reload] = useLoad(id, (signal) => api.job(id, { signal }), {
    on: ({ job_id }) => job_id === id,
    everyMs: 10_000,
  });
  const results = useResults(id);
  return shown(loaded, reload, (job) => {
    title(job.name ?? job.id);
    return html`<div class="page">
      <p class="crumbs"><a href="#/jobs">Jobs</a></p>
      <header class="head"><h1>${job.name ?? job.id}</h1>${h(Badge, { status: job.status })}${h(Id, { id: job.id })}</header>
      ${h(Figures, { job, rows: results.rows })}
      ${h(Actions, { job, rows: results.rows, onDone: reload })}
      ${h(Views, { job, results })}
    </div>`;
  });
}

const tabTitles = {
  grid: "Grid",
  matrix: "Matrix",
  timeline: "Timeline",
  runs: "Runs",
  events: "Events",
  deliveries: "Deliveries",
  about: "About",
};

function Views({ job, results }: { job: Job; results: Results }) {
  const hasMatrix = results.rows.some(({ matrix }) => matrix !== null);
  const current = place.value.query.get("tab") ?? "grid";
  const tabs = Object.entries(tabTitles)
    .filter(([id]) => id !== "matrix" || hasMatrix)
    .map(([id, text]) => ({ id, title: text, href: href(`jobs/${job.id}`, { tab: id }) }));
  return html`<div class="stack">
    ${h(Tabs, { tabs, current, label: "Views of the job" })}
    ${results.error !== null && html`<p class="notice warn" role="alert">The runs could not be read in full. They are read again with the next change.</p>`}
    ${!results.isWhole && results.error === null && html`<p class="notice" role="status">Reading runs… ${count(results.rows.length)}</p>`}
    ${view(current, job, results.rows)}
  </div>`;
}

function view(tab: string, job: Job, rows: ResultRow[]) {
  if (tab === "matrix") return h(Matrix, { rows });
  if (tab === "timeline") return h(Timeline, { jobId: job.id });
  if (tab === "runs") return h(RunsTable, { rows });
  if (tab === "events") return h(Events, { jobId: job.id });
  if (tab === "deliveries") return h(JobDeliveries, { jobId: job.id });
  if (tab === "about") return h(About, { job });
  return rows.length === 0 ? null : h(RunGrid, { rows });
}

function Figures({ job, rows }: { job: Job; rows: ResultRow[] }) {
  const { counts, budget, queue } = job;
  const total = Object.values(counts).reduce((sum, one) => sum + one, 0);
  const left = timeLeft(job, rows);
  const idle = rows.reduce((sum, row) => sum + (row.gpu_idle_share ?? 0) * (row.cost ?? 0), 0);
  const facts: (Fact | null | false)[] = [
    {
      name: "Progress",
      value: html`<span class="progress">${h(StatusBar, { counts })} ${percent(job.progress)}</span>`,
    },
    {
      name: "Runs",
      value: html`<span>${count(total)} <small>${count(counts.succeeded)} succeeded, ${count(counts.failed)} failed</small></span>`,
    },
    {
      name: "Took",
      value: html`<span>${h(Lasting, { from: job.started_at, to: job.ended_at })}${left === null ? null : html` <small>about ${rough(left)} to go</small>`}</span>`,
    },
    {
      name: "Cost",
      value: html`<span>${credits(job.cost.total)} <small>${budget ? `of ${credits(budget.limit)}${budget.reached ? ", used up" : ""}` : `${credits(job.cost.estimated)} estimated`}</small></span>`,
    },
    idle > 0 && {
      name: "Idle GPU",
      value: html`<span>${credits(idle)} <small>credits for a GPU that did nothing</small></span>`,
    },
    queue != null && {
      name: "In the queue",
      value: html`<span>place ${count(queue.position)} <small>starts ${h(When, { at: queue.estimated_start_at })}</small></span>`,
    },
    job.deadline_at !== null &&
      job.ended_at === null && { name: "Deadline", value: h(When, { at: job.deadline_at }) },
    job.cancellation !== null && { name: "Cancelled by", value: job.cancellation.cause.replaceAll("_", " ") },
    { name: "Created", value: h(When, { at: job.created_at }) },
    job.trace_url != null && {
      name: "Trace",
      value: html`<a href=${job.trace_url} target="_blank" rel="noopener noreferrer">open</a>`,
    },
  ];
  return h(Facts, { facts });
}

/** From the pace so far; null while it cannot be told. */
function timeLeft(job: Job, rows: ResultRow[]): number | null {
  const total = rows.length;
  if (job.started_at === null || job.ended_at !== null || job.progress < 0.05 || total === 0) return null;
  const spent = now.value - Date.parse(job.started_at);
  return Math.max(1_000, (spent / job.progress) * (1 - job.progress));
}

function JobDeliveries({ jobId }: { jobId: string }) {
  const [list, reload] = useLoad(
    `deliveries ${jobId}`,
    (signal) => firstOf(api.deliveries(jobId, { signal }), 500),
    { everyMs: 5_000 },
  );
  return shown(
    list,
    reload,
    ({ data }) =>
      html`<div class="stack"><p class="faint">To the job's own <code>webhook_url</code>. Deliveries to subscribers are listed with their <a href="#/webhooks">webhook</a>.</p>
      ${h(Deliveries, { deliveries: data, redeliver: (delivery) => api.redeliver(jobId, delivery.id), onDone: reload })}</div>`,
  );
}

function About({ job }: { job: Job }) {
  const facts: Fact[] = [
    { name: "Priority", value: job.priority },
    { name: "Alive at once", value: job.max_parallel ?? "no limit" },
    { name: "When a run fails", value: job.on_run_failure.replaceAll("_", " ") },
    { name: "When a start is lost", value: job.on_lost },
    { name: "Attempts", value: `${job.retry.max_attempts} on ${job.retry.on.join(", ") || "nothing"}` },
    { name: "Webhook", value: job.webhook_url ?? DASH },
    {
      name: "Deadline",
      value:
        job.deadline_at === null
          ? DASH
          : `${duration(Date.parse(job.deadline_at) - Date.parse(job.created_at ?? job.deadline_at))} after submission`,
    },
  ];
  return html`<div class="stack">${h(Facts, { facts })}<h2>Metadata</h2><pre tabindex="0">${JSON.stringify(job.metadata, null, 2) ?? "null"}</pre></div>`;
}
