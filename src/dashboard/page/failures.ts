// The latest failures over all jobs, by their likely cause: many of one kind are one problem.
import type { Run } from "../../client/client.ts";
import { api } from "../api.ts";
import { plural } from "../format.ts";
import { h, html } from "../html.ts";
import { nameOf } from "../job/results.ts";
import { firstOf, useLoad } from "../load.ts";
import { href } from "../router.ts";
import { Panel } from "../view/parts.ts";
import { empty, shown } from "../view/state.ts";
import { When } from "../view/when.ts";

const LATEST = 100;

export function Failures() {
  const [failed, reload] = useLoad(
    "failures",
    (signal) => firstOf(api.runs("all", { outcome: "failed", signal, limit: LATEST + 1 }), LATEST),
    { on: ({ type }) => type === "run.failed" || type === "run.collecting" },
  );
  const children = shown(failed, reload, ({ data }) =>
    data.length === 0
      ? empty("Nothing has failed")
      : html`<ul class="list causes">${groupsOf(data).map(group)}</ul>`,
  );
  return h(Panel, {
    title: "Latest failures",
    aside: html`<a href="#/runs?status=failed">All</a>`,
    children,
  });
}

interface Group {
  cause: string;
  runs: Run[];
}

function groupsOf(runs: Run[]): Group[] {
  const groups = Map.groupBy(runs, ({ error }) => error?.reason ?? error?.code ?? "unknown");
  return [...groups].map(([cause, own]) => ({ cause, runs: own }));
}

function group({ cause, runs }: Group) {
  const [latest] = runs;
  if (latest === undefined) return null;
  const { reason, code, detail } = latest.error ?? { reason: null, code: "", detail: null };
  const all = href("runs", { status: "failed", ...(reason ? { reason } : { error_code: code }) });
  return html`<li key=${cause}>
    <div>
      <a href=${all}><b>${cause.replaceAll("_", " ")}</b></a> <span class="faint">${plural(runs.length, "run")}</span>
      <p class="faint">last in <a href=${`#/runs/${latest.id}`}>${nameOf(latest)}</a>: ${detail}</p>
    </div>
    ${h(When, { at: latest.ended_at })}
  </li>`;
}
