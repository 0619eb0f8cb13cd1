// Deliveries as rows, with each attempt's answer and a way to send them once more.
import type { Delivery } from "../../client/client.ts";
import { count, duration } from "../format.ts";
import { h, html } from "../html.ts";
import { mayWrite } from "../session.ts";
import { Deed } from "./confirm.ts";
import { empty } from "./state.ts";
import { Badge } from "./status.ts";
import { type Column, Table } from "./table.ts";
import { When } from "./when.ts";

interface DeliveriesProps {
  deliveries: Delivery[];
  redeliver: (delivery: Delivery) => Promise<unknown>;
  onDone: () => void;
}

export function Deliveries({ deliveries, redeliver, onDone }: DeliveriesProps) {
  if (deliveries.length === 0) return empty("No delivery yet");
  const columns: Column<Delivery>[] = [
    { title: "Event", by: ({ type }) => type, show: ({ type }) => html`<code>${type}</code>` },
    {
      title: "State",
      by: ({ state }) => state,
      show: ({ state, reason }) =>
        html`<span>${h(Badge, { status: state })} <span class="faint">${reason?.replaceAll("_", " ")}</span></span>`,
    },
    {
      title: "Attempts",
      numeric: true,
      by: ({ attempts }) => attempts,
      show: ({ attempts }) => count(attempts),
    },
    { title: "Last answer", show: ({ log }) => lastAnswer(log) },
    {
      title: "Job",
      minor: true,
      show: ({ job_id }) =>
        job_id && html`<a href=${`#/jobs/${job_id}`}><code>…${job_id.slice(-6)}</code></a>`,
    },
    {
      title: "Made",
      by: ({ created_at }) => created_at,
      show: ({ created_at }) => h(When, { at: created_at }),
    },
    {
      title: "Next try",
      minor: true,
      show: ({ next_attempt_at }) => next_attempt_at && h(When, { at: next_attempt_at }),
    },
  ];
  const again: Column<Delivery> = {
    title: "",
    show: (delivery) =>
      delivery.state !== "pending" && h(Deed, { label: "Redeliver", act: () => redeliver(delivery), onDone }),
  };
  return h(Table<Delivery>, {
    label: "Deliveries",
    columns: mayWrite() ? [...columns, again] : columns,
    rows: deliveries,
    keyOf: ({ id }) => id,
  });
}

function lastAnswer(log: Delivery["log"]) {
  const last = log.at(-1);
  if (last === undefined) return null;
  const said = last.status === null ? (last.error ?? "no answer") : String(last.status);
  return html`<span class="clip" title=${last.error ?? ""}>${said} <span class="faint">${duration(last.duration_ms)}</span></span>`;
}
