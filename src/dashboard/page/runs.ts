// Runs over all jobs, newest first, with filters that are part of the address.
import { useEffect, useState } from "preact/hooks";
import type { Run, RunFilter, RunStatus } from "../../client/client.ts";
import { api } from "../api.ts";
import { h, html } from "../html.ts";
import { nameOf } from "../job/results.ts";
import { firstOf, useLoad } from "../load.ts";
import { place, setQuery } from "../router.ts";
import { Chips, title } from "../view/parts.ts";
import { runFigures } from "../view/run-figures.ts";
import { empty, shown } from "../view/state.ts";
import { Badge, Mark, runStatuses } from "../view/status.ts";
import { type Column, Table } from "../view/table.ts";
import { When } from "../view/when.ts";

const STEP = 100;

const columns: Column<Run>[] = [
  {
    title: "Run",
    by: nameOf,
    show: (run) =>
      html`<span class="named">${h(Mark, { status: run.status })}<span class="clip">${nameOf(run)}</span></span>`,
  },
  { title: "Status", minor: true, by: ({ status }) => status, show: ({ status }) => h(Badge, { status }) },
  {
    title: "Error",
    by: ({ error }) => error?.reason ?? error?.code ?? null,
    show: ({ error }) =>
      error && html`<b class="bad">${(error.reason ?? error.code).replaceAll("_", " ")}</b>`,
  },
  {
    title: "Job",
    minor: true,
    show: ({ job_id }) => html`<a href=${`#/jobs/${job_id}`}><code>…${job_id.slice(-6)}</code></a>`,
  },
  ...runFigures,
  { title: "Hardware", minor: true, show: ({ hardware, execution_type }) => hardware ?? execution_type },
  {
    title: "Created",
    by: ({ created_at }) => created_at,
    show: ({ created_at }) => h(When, { at: created_at }),
  },
];

const others = ["name", "hardware", "error_code", "reason"] as const;

function filterOf(query: URLSearchParams): RunFilter {
  const status = runStatuses.find((one) => one === query.get("status"));
  const given = others.flatMap((name) => (query.get(name) ? [[name, query.get(name)]] : []));
  return { ...Object.fromEntries(given), ...(status === undefined ? {} : { status: status as RunStatus }) };
}

export function Runs() {
  title("Runs");
  const { query } = place.value;
  const [most, setMost] = useState(STEP);
  const key = `${query}`;
  useEffect(() => setMost(STEP), [key]);
  const [list, reload] = useLoad(
    `runs ${key}`,
    (signal) =>
      firstOf(api.runs("all", { ...filterOf(query), signal, limit: Math.min(most + 1, 1_000) }), most),
    { on: ({ type }) => type.startsWith("run."), everyMs: 30_000 },
  );
  // The shown rows stay until more are there.
  useEffect(() => {
    if (most > STEP) reload();
  }, [most]);
  return html`<div class="page">
    <h1>Runs</h1>
    ${h(Filters, { query })}
    ${shown(list, reload, ({ data, more }) =>
      data.length === 0
        ? empty("No run matches", html`<p><a href="#/runs">Show all runs</a></p>`)
        : html`<div class="stack">
            ${h(Table<Run>, { label: "Runs", columns, rows: data, keyOf: ({ id }) => id, hrefOf: ({ id }) => `#/runs/${id}` })}
            ${more && html`<p class="more"><button type="button" onClick=${() => setMost(most + 5 * STEP)}>Show more</button></p>`}
          </div>`,
    )}
  </div>`;
}

function Filters({ query }: { query: URLSearchParams }) {
  const [name, setName] = useState(query.get("name") ?? "");
  const search = (event: Event) => {
    event.preventDefault();
    setQuery({ name: name.trim() });
  };
  const set = others.filter((one) => one !== "name" && query.get(one));
  return html`<div class="filters">
    ${h(Chips, {
      label: "Status",
      value: query.get("status") ?? "",
      options: [
        { value: "", label: "all" },
        ...runStatuses.map((status) => ({ value: status, label: status })),
      ],
      onChange: (status) => setQuery({ status }),
    })}
    <form role="search" onSubmit=${search}>
      <input type="search" aria-label="Exact name" placeholder="Exact name  /" value=${name}
        onInput=${(event: Event) => setName((event.currentTarget as HTMLInputElement).value)} />
    </form>
    ${set.map((one) => html`<button type="button" key=${one} class="chip" aria-label=${`Remove the filter ${one}`} onClick=${() => setQuery({ [one]: null })}>${one.replaceAll("_", " ")}: ${query.get(one)} ✕</button>`)}
  </div>`;
}
