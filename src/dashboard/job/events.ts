// The events of a job, oldest first, and new ones as they come.
import { useEffect, useState } from "preact/hooks";
import type { ProctorEvent } from "../../client/client.ts";
import { api } from "../api.ts";
import { now } from "../clock.ts";
import { clock, full } from "../format.ts";
import { h, html } from "../html.ts";
import { onEvent } from "../live.ts";
import { firstOf, useLoad } from "../load.ts";
import { empty, shown } from "../view/state.ts";
import { type Column, Table } from "../view/table.ts";

const FIRST = 2_000;
const MAX_SHOWN = 20_000;

const columns: Column<ProctorEvent>[] = [
  { title: "No.", numeric: true, by: ({ seq }) => seq, show: ({ seq }) => seq },
  {
    title: "Time",
    show: ({ created_at }) => html`<time title=${full(created_at)}>${clock(created_at, now.peek())}</time>`,
  },
  { title: "Event", by: ({ type }) => type, show: ({ type }) => html`<code>${type}</code>` },
  {
    title: "Run",
    minor: true,
    show: ({ run_id }) => run_id && html`<a href=${`#/runs/${run_id}`}><code>…${run_id.slice(-6)}</code></a>`,
  },
  { title: "Data", show: ({ data }) => html`<code class="clip wide">${dataText(data)}</code>` },
];

function dataText(data: Record<string, unknown>): string {
  return Object.entries(data)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}

/** @param runId of the only run to show */
export function Events({ jobId, runId }: { jobId: string; runId?: string }) {
  const [fresh, setFresh] = useState<ProctorEvent[]>([]);
  const [after, setAfter] = useState(0);
  const [past, reload] = useLoad(`events ${jobId} ${runId ?? ""}`, (signal) =>
    firstOf(api.pastEvents(jobId, { signal, runId, limit: 1_000 }), FIRST),
  );
  useEffect(
    () =>
      onEvent((event) => {
        if (event.job_id === jobId) setFresh((some) => [...some, event].slice(-MAX_SHOWN));
      }),
    [jobId],
  );
  const [further, setFurther] = useState<ProctorEvent[]>([]);
  return shown(past, reload, ({ data, more }) => {
    const known = [...data, ...further];
    const last = known.at(-1)?.seq ?? 0;
    const isMore = more && after !== Number.POSITIVE_INFINITY;
    const events = [...known, ...(isMore ? [] : fresh.filter(({ seq }) => seq > last))].filter(
      (event) => runId === undefined || event.run_id === runId,
    );
    const loadMore = async () => {
      const next = await firstOf(api.pastEvents(jobId, { after: last, runId, limit: 1_000 }), FIRST);
      setFurther([...further, ...next.data]);
      if (!next.more) setAfter(Number.POSITIVE_INFINITY);
    };
    if (events.length === 0) return empty("No event yet");
    return html`<div class="stack">
      ${h(Table<ProctorEvent>, { label: "Events", columns, rows: events, keyOf: ({ id }) => id })}
      ${isMore && html`<p class="more"><button type="button" onClick=${loadMore}>Read further events</button></p>`}
    </div>`;
  });
}
