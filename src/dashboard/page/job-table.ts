// Jobs as rows: status, name, progress, counts, time, cost.
import type { Job } from "../../client/client.ts";
import { count, credits, percent } from "../format.ts";
import { h, html } from "../html.ts";
import { Badge, Mark, StatusBar } from "../view/status.ts";
import { type Column, Table } from "../view/table.ts";
import { Lasting, When } from "../view/when.ts";

export function JobTable({ jobs, isShort = false }: { jobs: Job[]; isShort?: boolean }) {
  return h(Table<Job>, {
    label: "Jobs",
    columns: isShort ? columns.filter(({ title }) => short.has(title)) : columns,
    rows: jobs,
    keyOf: ({ id }) => id,
    hrefOf: ({ id }) => `#/jobs/${id}`,
  });
}

const short = new Set(["Job", "Progress", "Created", "Cost"]);

const total = ({ counts }: Job) => Object.values(counts).reduce((sum, one) => sum + one, 0);

const columns: Column<Job>[] = [
  {
    title: "Job",
    by: ({ name, id }) => name ?? id,
    show: ({ status, name, id }) =>
      html`<span class="named">${h(Mark, { status })}<span class="clip">${name ?? html`<code>${id}</code>`}</span></span>`,
  },
  { title: "Status", minor: true, by: ({ status }) => status, show: ({ status }) => h(Badge, { status }) },
  {
    title: "Progress",
    by: ({ progress }) => progress,
    show: ({ counts, progress }) =>
      html`<span class="progress">${h(StatusBar, { counts })}<span class="faint">${percent(progress)}</span></span>`,
  },
  { title: "Runs", numeric: true, by: total, show: (job) => count(total(job)) },
  {
    title: "Failed",
    numeric: true,
    minor: true,
    by: ({ counts }) => counts.failed,
    show: ({ counts }) =>
      counts.failed === 0
        ? html`<span class="faint">0</span>`
        : html`<b class="bad">${count(counts.failed)}</b>`,
  },
  {
    title: "Created",
    by: ({ created_at }) => created_at,
    show: ({ created_at }) => h(When, { at: created_at }),
  },
  {
    title: "Took",
    numeric: true,
    minor: true,
    show: ({ started_at, ended_at }) => h(Lasting, { from: started_at, to: ended_at }),
  },
  { title: "Cost", numeric: true, by: ({ cost }) => cost.total, show: ({ cost }) => credits(cost.total) },
];
