// Lists the webhooks and the state of their deliveries.
import type { Webhook } from "../../client/client.ts";
import { api } from "../api.ts";
import { h, html } from "../html.ts";
import { firstOf, useLoad } from "../load.ts";
import { title } from "../view/parts.ts";
import { empty, shown } from "../view/state.ts";
import { Badge, Mark } from "../view/status.ts";
import { type Column, Table } from "../view/table.ts";
import { When } from "../view/when.ts";
import { originOf } from "./attention.ts";

const columns: Column<Webhook>[] = [
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
  { title: "Hears", show: ({ types }) => html`<code class="clip">${types.join(", ")}</code>` },
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
  const [list, reload] = useLoad("webhooks", () => firstOf(api.webhooks.list(), 500), {
    on: ({ type }) => type === "webhook.disabled",
    everyMs: 10_000,
  });
  return html`<div class="page"><h1>Webhooks</h1>
    ${shown(list, reload, ({ data }) =>
      data.length === 0
        ? empty(
            "No webhook yet",
            html`<p>Subscribe with <code>POST /v1/webhooks</code>: see the <a href="docs">API reference</a>.</p>`,
          )
        : h(Table<Webhook>, {
            label: "Webhooks",
            columns,
            rows: data,
            keyOf: ({ id }) => id,
            hrefOf: ({ id }) => `#/webhooks/${id}`,
          }),
    )}
  </div>`;
}
