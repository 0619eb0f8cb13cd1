// Lyceum's callbacks: whether they come, how early they let us know, and each one raw.
import type { InboxFilter } from "../../client/client.ts";
import { api } from "../api.ts";
import { h, html } from "../html.ts";
import { firstOf, useLoad } from "../load.ts";
import { place, setQuery } from "../router.ts";
import { CallbackList } from "../view/callbacks.ts";
import { Chips, Panel, title } from "../view/parts.ts";
import { shown } from "../view/state.ts";
import { CallbackFigures } from "./system.ts";

const dispositions = ["received", "early", "duplicate", "late"] as const;
const LATEST = 100;

export function Callbacks() {
  title("Callbacks");
  const wanted = place.value.query.get("disposition") ?? "";
  const disposition = dispositions.find((one) => one === wanted);
  const refresh = { on: ({ type }: { type: string }) => type === "callback.received", everyMs: 10_000 };
  const [status, reload] = useLoad("callback health", (signal) => api.status({ signal }), refresh);
  const filter: InboxFilter = disposition === undefined ? {} : { disposition };
  const [inbox, reread] = useLoad(
    `inbox ${wanted}`,
    (signal) => firstOf(api.inbox(filter, { signal }), LATEST),
    refresh,
  );
  const options = ["", ...dispositions].map((value) => ({ value, label: value || "all" }));
  return html`<div class="page"><h1>Callbacks</h1>
    ${shown(status, reload, (value) => h(Panel, { title: "Health", children: h(CallbackFigures, { status: value }) }))}
    <h2>Inbox</h2>
    <div class="filters">${h(Chips, { label: "Disposition", value: wanted, options, onChange: (value) => setQuery({ disposition: value }) })}<span class="faint">The latest ${LATEST}, as they came.</span></div>
    ${shown(inbox, reread, ({ data }) => h(CallbackList, { callbacks: data }))}
  </div>`;
}
