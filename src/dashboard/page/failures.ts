// The latest jobs that failed.
import { api } from "../api.ts";
import { h, html } from "../html.ts";
import { firstOf, useLoad } from "../load.ts";
import { Panel } from "../view/parts.ts";
import { empty, shown } from "../view/state.ts";
import { When } from "../view/when.ts";

const LATEST = 8;

export function Failures() {
  const [failed, reload] = useLoad(
    "failed jobs",
    (signal) => firstOf(api.jobs({ status: "failed" }, { signal, limit: LATEST }), LATEST),
    { on: ({ type }) => type === "job.failed" },
  );
  const children = shown(failed, reload, ({ data }) =>
    data.length === 0
      ? empty("Nothing has failed")
      : html`<ul class="list">${data.map(
          (job) =>
            html`<li key=${job.id}><a href=${`#/jobs/${job.id}?tab=runs&status=failed`}>${job.name ?? job.id}</a><span class="faint">${job.counts.failed} failed</span>${h(When, { at: job.ended_at })}</li>`,
        )}</ul>`,
  );
  return h(Panel, {
    title: "Latest failures",
    aside: html`<a href="#/jobs?status=failed">All</a>`,
    children,
  });
}
