// The runs of a job as rows that sort.
import type { ResultRow } from "../../client/client.ts";
import { count, percent } from "../format.ts";
import { h, html } from "../html.ts";
import { place, setQuery } from "../router.ts";
import { Chips } from "../view/parts.ts";
import { runFigures } from "../view/run-figures.ts";
import { empty } from "../view/state.ts";
import { Badge, Mark, runStatuses } from "../view/status.ts";
import { type Column, Table } from "../view/table.ts";
import { nameOf } from "./results.ts";

const columns: Column<ResultRow>[] = [
  {
    title: "Run",
    by: ({ position }) => position,
    show: (row) =>
      html`<span class="named">${h(Mark, { status: row.status })}<span class="clip">${nameOf(row)}</span>${row.retry_of && html`<span class="faint">retry</span>`}</span>`,
  },
  { title: "Status", minor: true, by: ({ status }) => status, show: ({ status }) => h(Badge, { status }) },
  {
    title: "Error",
    by: ({ error_code, error_reason }) => error_reason ?? error_code,
    show: ({ error_code, error_reason }) =>
      error_code && html`<b class="bad">${(error_reason ?? error_code).replaceAll("_", " ")}</b>`,
  },
  {
    title: "Exit",
    numeric: true,
    minor: true,
    by: ({ return_code }) => return_code,
    show: ({ return_code }) => count(return_code),
  },
  ...runFigures,
  {
    title: "GPU",
    numeric: true,
    minor: true,
    by: ({ gpu_utilization_percent }) => gpu_utilization_percent,
    show: ({ gpu_utilization_percent: use }) => percent(use === null ? null : use / 100),
  },
  { title: "Hardware", minor: true, by: ({ hardware }) => hardware, show: ({ hardware }) => hardware },
];

export function RunsTable({ rows }: { rows: ResultRow[] }) {
  const status = place.value.query.get("status") ?? "";
  const search = (place.value.query.get("find") ?? "").toLowerCase();
  const found = rows.filter(
    (row) =>
      (status === "" || row.status === status) &&
      (search === "" || nameOf(row).toLowerCase().includes(search)),
  );
  const options = runStatuses.map((value) => ({
    value,
    label: value,
    count: rows.filter((row) => row.status === value).length,
  }));
  const type = (event: Event) => setQuery({ find: (event.currentTarget as HTMLInputElement).value });
  return html`<div class="stack">
    <div class="filters">
      ${h(Chips, {
        label: "Status",
        value: status,
        options: [
          { value: "", label: "all", count: rows.length },
          ...options.filter(({ count: some }) => some > 0),
        ],
        onChange: (value) => setQuery({ status: value }),
      })}
      <input type="search" aria-label="Find runs by name or matrix value" placeholder="Name or value  /" value=${search} onInput=${type} />
    </div>
    ${found.length === 0 ? empty("No run matches") : h(Table<ResultRow>, { label: "Runs", columns, rows: found, keyOf: ({ run_id }) => run_id, hrefOf: ({ run_id }) => `#/runs/${run_id}` })}
  </div>`;
}
