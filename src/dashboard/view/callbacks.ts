// Callbacks as they came, raw.
import type { Callback } from "../../client/client.ts";
import { full } from "../format.ts";
import { html } from "../html.ts";
import { empty } from "./state.ts";

export function CallbackList({ callbacks }: { callbacks: Callback[] }) {
  if (callbacks.length === 0) return empty("No callback came", "Ends are found by polling, too.");
  return html`<ul class="raw">${callbacks.map(
    (one) => html`<li key=${one.id}>
      <header><b>${one.disposition}</b> <span>${one.received_at === null ? "" : full(one.received_at)}</span> <span class="faint">${[one.content_type, one.content_encoding, one.decoded_from && `decoded from ${one.decoded_from}`, one.truncated && "truncated"].filter(Boolean).join(" · ")}</span> <code class="faint">${one.execution_id}</code></header>
      ${one.body === null ? html`<p class="faint">${one.note ?? "Not shown."}</p>` : one.body === "" ? html`<p class="faint">An empty body.</p>` : html`<pre tabindex="0">${one.body}</pre>`}
      ${one.note !== null && one.body !== null && html`<p class="faint">${one.note}</p>`}
    </li>`,
  )}</ul>`;
}
