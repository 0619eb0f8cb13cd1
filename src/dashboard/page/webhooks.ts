// Lists the webhooks and the state of their deliveries.
import type { Delivery, Webhook } from "../../client/client.ts";
import { api } from "../api.ts";
import { bucketsOf, type Outcome } from "../chart/buckets.ts";
import { Spark } from "../chart/spark.ts";
import { count, DASH, rough } from "../format.ts";
import { h, html } from "../html.ts";
import { firstOf, useLoad } from "../load.ts";
import { title } from "../view/parts.ts";
import { empty, shown } from "../view/state.ts";
import { Badge, Mark } from "../view/status.ts";
import { type Column, Table } from "../view/table.ts";
import { When } from "../view/when.ts";
import { originOf } from "./attention.ts";

/** Deliveries that are read of each webhook, for so many webhooks. */
const LATEST = 200;
const MOST = 20;

type Row = Webhook & { latest: Outcome[] | null };

async function readRows(): Promise<Row[]> {
  const { data } = await firstOf(api.webhooks.list(), 500);
  return Promise.all(
    data.map(async (webhook, index) => {
      const latest = index < MOST ? (await firstOf(api.webhooks.deliveries(webhook.id), LATEST)).data : null;
      return { ...webhook, latest: latest?.flatMap(outcomeOf) ?? null };
    }),
  );
}

/** A delivery that is under way has failed so far if it was tried. */
function outcomeOf({ state, attempts, created_at }: Delivery): Outcome[] {
  if (state === "pending" && attempts === 0) return [];
  return [{ at: Date.parse(created_at), isGood: state === "delivered" }];
}

function latestOf({ latest }: Row) {
  if (latest === null) return DASH;
  const [first] = latest.toSorted((a, b) => a.at - b.at);
  if (first === undefined) return html`<span class="faint">none yet</span>`;
  const good = latest.filter(({ isGood }) => isGood).length;
  const label = `${count(good)} delivered, ${count(latest.length - good)} not, in ${rough(Math.max(1_000, Date.now() - first.at))}`;
  return html`<span class="progress">${h(Spark, { buckets: bucketsOf(latest, Date.now()), label })}<span class="faint">${count(good)} of ${count(latest.length)}</span></span>`;
}

const columns: Column<Row>[] = [
  {
    title: "Endpoint",
    by: ({ url }) => url,
    show: ({ status, url }) =>
      html`<span class="named">${h(Mark, { status })}<span class="clip">${originOf(url)}</span></span>`,
  },
  {
    title: "Status",
    by: ({ status }) => status,
    show: ({ status, disabled_reason }) =>
      html`<span>${h(Badge, { status })} <span class="faint">${disabled_reason}</span></span>`,
  },
  { title: "Latest deliveries", show: latestOf },
  { title: "Hears", minor: true, show: ({ types }) => html`<code class="clip">${types.join(", ")}</code>` },
  {
    title: "Key",
    minor: true,
    by: ({ api_key }) => api_key,
    show: ({ api_key, scope }) =>
      html`<span>${api_key} <span class="faint">${scope.replaceAll("_", " ")}</span></span>`,
  },
  {
    title: "Failing since",
    minor: true,
    show: ({ failing_since }) => failing_since && h(When, { at: failing_since }),
  },
  {
    title: "Created",
    minor: true,
    by: ({ created_at }) => created_at,
    show: ({ created_at }) => h(When, { at: created_at }),
  },
];

export function Webhooks() {
  title("Webhooks");
  const [list, reload] = useLoad("webhooks", readRows, {
    on: ({ type }) => type === "webhook.disabled",
    everyMs: 10_000,
  });
  return html`<div class="page"><h1>Webhooks</h1>
    ${shown(list, reload, (data) =>
      data.length === 0
        ? empty(
            "No webhook yet",
            html`<p>Subscribe with <code>POST /v1/webhooks</code>: see the <a href="docs">API reference</a>.</p>`,
          )
        : h(Table<Row>, {
            label: "Webhooks",
            columns,
            rows: data,
            keyOf: ({ id }) => id,
            hrefOf: ({ id }) => `#/webhooks/${id}`,
          }),
    )}
  </div>`;
}
