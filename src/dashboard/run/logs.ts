// The log of a run, and how far to trust it.
import type { Run } from "../../client/client.ts";
import { api } from "../api.ts";
import { h, html } from "../html.ts";
import { useLoad } from "../load.ts";
import { LogViewer } from "../log/viewer.ts";
import { empty, shown } from "../view/state.ts";
import { notYet } from "./artifact.ts";
import { LiveLog } from "./live-log.ts";

export function Logs({ run }: { run: Run }) {
  if (run.outcome === null && run.executions.length > 0) return h(LiveLog, { run });
  return notYet(run, "logs") ?? h(Stored, { run });
}

function Stored({ run }: { run: Run }) {
  const [logs, reload] = useLoad(`logs ${run.id} ${run.status}`, (signal) => api.logs(run.id, { signal }));
  return shown(logs, reload, ({ entries, complete, truncated }) => {
    const note = truncated
      ? html`<p class="notice warn"><b>Truncated.</b> Lyceum gives 10,000 entries at most, and there were more.</p>`
      : complete
        ? html`<p class="notice good"><b>Complete.</b> Nothing is missing.</p>`
        : html`<p class="notice warn"><b>Not complete.</b> Lines of the record are missing here; the output has them.</p>`;
    if (entries.length === 0) return html`<div class="stack">${note}${empty("The log is empty")}</div>`;
    return html`<div class="stack">${note}${h(LogViewer, { entries, name: run.id, isLive: false })}</div>`;
  });
}
