// Lyceum's callbacks: whether they come, how early they let us know, and each one raw.
import { api } from "../api.ts";
import { h, html } from "../html.ts";
import { useLoad } from "../load.ts";
import { Panel, title } from "../view/parts.ts";
import { shown } from "../view/state.ts";
import { CallbackFigures } from "./system.ts";

export function Callbacks() {
  title("Callbacks");
  const [status, reload] = useLoad("callback health", (signal) => api.status({ signal }), {
    on: ({ type }) => type === "callback.received",
    everyMs: 5_000,
  });
  return html`<div class="page"><h1>Callbacks</h1>
    ${shown(status, reload, (value) => h(Panel, { title: "Health", children: h(CallbackFigures, { status: value }) }))}
  </div>`;
}
