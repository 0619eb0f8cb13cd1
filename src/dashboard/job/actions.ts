// The buttons that act on a job.
import { useState } from "preact/hooks";
import type { Job, ResultRow } from "../../client/client.ts";
import { api } from "../api.ts";
import { plural } from "../format.ts";
import { h, html } from "../html.ts";
import { mayWrite } from "../session.ts";
import { jobIn } from "../snippets.ts";
import { Deed } from "../view/confirm.ts";
import { Snippet } from "../view/copy.ts";
import { Chips } from "../view/parts.ts";

export function Actions({ job, rows, onDone }: { job: Job; rows: ResultRow[]; onDone: () => void }) {
  const [way, setWay] = useState("");
  const repeated = new Set(rows.map(({ retry_of }) => retry_of));
  const failed = rows.filter(({ run_id, status }) => status === "failed" && !repeated.has(run_id));
  const live = job.counts.queued + job.counts.active;
  const retryAll = async () => {
    // One after the other: each is a run that costs money, and the first refusal stops the rest.
    for (const { run_id } of failed) await api.retry(run_id);
  };
  return html`<div class="actions">
    <div class="row">
      ${mayWrite() && live > 0 && h(Deed, { label: "Cancel", tone: "danger", question: `Cancel ${plural(live, "run")}?`, act: () => api.cancel(job.id), onDone })}
      ${mayWrite() && failed.length > 0 && h(Deed, { label: `Retry ${plural(failed.length, "failed run")}`, question: `Start ${plural(failed.length, "new run")}?`, act: retryAll, onDone })}
      ${h(Deed, { label: "CSV", act: () => saveCsv(job) })}
      <span class="faint">Copy as</span>
      ${h(Chips, { label: "Copy as", value: way, options: Object.keys(jobIn).map((value) => ({ value, label: value })), onChange: (value) => setWay(value === way ? "" : value) })}
    </div>
    ${jobIn[way] && h(Snippet, { text: jobIn[way](job.id) })}
  </div>`;
}

async function saveCsv({ id, name }: Job): Promise<void> {
  const text = await api.resultsCsv(id);
  save(new Blob([text], { type: "text/csv" }), `${(name ?? id).replaceAll(/[^\w.-]+/g, "-")}.csv`);
}

export function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
