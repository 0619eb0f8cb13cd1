// One webhook: its state, its deliveries, and what can be done about them.
import { useState } from "preact/hooks";
import type { Webhook } from "../../client/client.ts";
import { api } from "../api.ts";
import { h, html } from "../html.ts";
import { firstOf, useLoad } from "../load.ts";
import { mayWrite } from "../session.ts";
import { Deed } from "../view/confirm.ts";
import { CopyButton, Id } from "../view/copy.ts";
import { Deliveries } from "../view/deliveries.ts";
import { Facts, title } from "../view/parts.ts";
import { shown } from "../view/state.ts";
import { Badge } from "../view/status.ts";
import { When } from "../view/when.ts";
import { originOf } from "./attention.ts";

const LATEST = 500;

export function WebhookPage({ id }: { id: string }) {
  const [loaded, reload] = useLoad(
    id,
    async () => ({
      webhook: await api.webhooks.get(id),
      deliveries: (await firstOf(api.webhooks.deliveries(id), LATEST)).data,
    }),
    { everyMs: 5_000 },
  );
  return shown(loaded, reload, ({ webhook, deliveries }) => {
    title(originOf(webhook.url));
    return html`<div class="page">
      <p class="crumbs"><a href="#/webhooks">Webhooks</a></p>
      <header class="head"><h1>${originOf(webhook.url)}</h1>${h(Badge, { status: webhook.status })}${h(Id, { id })}${mayWrite() && h(Deeds, { webhook, reload })}</header>
      ${h(Facts, {
        facts: [
          { name: "URL", value: html`<code>${webhook.url}</code>` },
          { name: "Hears", value: html`<code>${webhook.types.join(", ")}</code>` },
          { name: "Key", value: `${webhook.api_key}, ${webhook.scope.replaceAll("_", " ")}` },
          { name: "Created", value: h(When, { at: webhook.created_at }) },
          webhook.failing_since !== null && {
            name: "Failing since",
            value: h(When, { at: webhook.failing_since }),
          },
          webhook.disabled_at !== null && {
            name: "Disabled",
            value: html`<span>${h(When, { at: webhook.disabled_at })} <small>${webhook.disabled_reason}</small></span>`,
          },
        ],
      })}
      <h2>Deliveries</h2>
      ${h(Deliveries, { deliveries, redeliver: (delivery) => api.webhooks.redeliver(id, delivery.id), onDone: reload })}
    </div>`;
  });
}

function Deeds({ webhook, reload }: { webhook: Webhook; reload: () => void }) {
  const [secret, setSecret] = useState<string | null>(null);
  const rotate = async () => setSecret((await api.webhooks.rotate(webhook.id)).secret);
  return html`<span class="row">
    ${webhook.status === "disabled" && h(Deed, { label: "Enable", act: () => api.webhooks.enable(webhook.id), onDone: reload })}
    ${h(Deed, { label: "Rotate secret", question: "Make a new secret? The old one signs for another day.", act: rotate })}
    ${secret !== null && html`<span class="notice" role="status">New secret, shown this once: <code>${secret}</code> ${h(CopyButton, { text: secret })}</span>`}
  </span>`;
}
