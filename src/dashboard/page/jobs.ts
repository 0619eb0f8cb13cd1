// All jobs, newest first, with filters that are part of the address.
import { useEffect, useState } from "preact/hooks";
import type { JobFilter, JobStatus } from "../../client/client.ts";
import { api } from "../api.ts";
import { h, html } from "../html.ts";
import { firstOf, useLoad } from "../load.ts";
import { place, setQuery } from "../router.ts";
import { seesAllKeys } from "../session.ts";
import { Chips, Choice, title } from "../view/parts.ts";
import { empty, shown } from "../view/state.ts";
import { FirstJob } from "./first-job.ts";
import { useJobCounts } from "./job-counts.ts";
import { JobTable } from "./job-table.ts";

const statuses = ["queued", "active", "succeeded", "failed", "cancelled"] as const;
const spans: Record<string, number> = { "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000 };
const STEP = 100;

function filterOf(query: URLSearchParams): JobFilter {
  const [status, name, since, key] = ["status", "name", "since", "key"].map((one) => query.get(one) ?? "");
  const span = spans[since ?? ""];
  return {
    ...(status === "" ? {} : { status: status as JobStatus }),
    ...(name ? { name } : {}),
    ...(key ? { key } : {}),
    ...(span === undefined ? {} : { created_after: new Date(Date.now() - span).toISOString() }),
  };
}

export function Jobs() {
  title("Jobs");
  const { query } = place.value;
  const [most, setMost] = useState(STEP);
  const key = `${query}`;
  useEffect(() => setMost(STEP), [key]);
  const [list, reload] = useLoad(
    `jobs ${key}`,
    (signal) => firstOf(api.jobs(filterOf(query), { signal, limit: Math.min(most + 1, 1_000) }), most),
    { on: ({ type }) => type.startsWith("job.") || type.startsWith("run."), everyMs: 30_000 },
  );
  // The shown rows stay until more are there.
  useEffect(() => {
    if (most > STEP) reload();
  }, [most]);
  const isFiltered = key !== "";
  return html`<div class="page">
    <h1>Jobs</h1>
    ${h(Filters, { query })}
    ${shown(list, reload, ({ data, more }) => {
      if (data.length === 0)
        return isFiltered
          ? empty("No job matches", html`<p><a href="#/jobs">Show all jobs</a></p>`)
          : h(FirstJob, {});
      return html`<div class="stack">${h(JobTable, { jobs: data })}
        ${more && html`<p class="more"><button type="button" onClick=${() => setMost(most + 5 * STEP)}>Show more</button></p>`}</div>`;
    })}
  </div>`;
}

/** Not for a caller that sees the jobs of a single key. */
function KeyChoice({ value }: { value: string }) {
  const [keys] = useLoad("keys", (signal) => api.keys({ signal }));
  const names = keys.type === "ready" ? keys.value.data.map(({ name }) => name) : [];
  const options = [...new Set(["", ...names, value])].map((one) => ({ value: one, label: one || "any" }));
  return h(Choice, { label: "Key", value, options, onChange: (key) => setQuery({ key }) });
}

function Filters({ query }: { query: URLSearchParams }) {
  const [name, setName] = useState(query.get("name") ?? "");
  const { status: _, ...others } = filterOf(query);
  const counts = useJobCounts(statuses, others, ["name", "since", "key"].map((one) => query.get(one)).join());
  const search = (event: Event) => {
    event.preventDefault();
    setQuery({ name: name.trim() });
  };
  return html`<div class="filters">
    ${h(Chips, {
      label: "Status",
      value: query.get("status") ?? "",
      options: [
        { value: "", label: "all" },
        ...statuses.map((status) => ({ value: status, label: status, count: counts.get(status) })),
      ],
      onChange: (status) => setQuery({ status }),
    })}
    ${seesAllKeys() && h(KeyChoice, { value: query.get("key") ?? "" })}
    <form role="search" onSubmit=${search}>
      <input type="search" aria-label="Exact name" placeholder="Exact name  /" value=${name}
        onInput=${(event: Event) => setName((event.currentTarget as HTMLInputElement).value)} />
    </form>
    ${h(Choice, {
      label: "Since",
      value: query.get("since") ?? "",
      options: [
        { value: "", label: "ever" },
        ...Object.keys(spans).map((span) => ({ value: span, label: span })),
      ],
      onChange: (since) => setQuery({ since }),
    })}
  </div>`;
}
