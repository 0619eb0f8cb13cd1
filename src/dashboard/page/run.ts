// One run: what happened to it, and all that it left.
import { useState } from "preact/hooks";
import type { Run } from "../../client/client.ts";
import { api } from "../api.ts";
import { count, credits, duration } from "../format.ts";
import { h, html } from "../html.ts";
import { Events } from "../job/events.ts";
import { nameOf } from "../job/results.ts";
import { firstOf, useLoad } from "../load.ts";
import { go, href, place } from "../router.ts";
import { Details } from "../run/details.ts";
import { Gpu } from "../run/gpu.ts";
import { Logs } from "../run/logs.ts";
import { Output } from "../run/output.ts";
import { Spec } from "../run/spec.ts";
import { type Choice, useMarks, Waterfall } from "../run/waterfall.ts";
import { mayWrite } from "../session.ts";
import { CallbackList } from "../view/callbacks.ts";
import { Deed } from "../view/confirm.ts";
import { Id } from "../view/copy.ts";
import { type Fact, Facts, Tabs, title } from "../view/parts.ts";
import { shown } from "../view/state.ts";
import { Badge } from "../view/status.ts";
import { When } from "../view/when.ts";

export function RunPage({ id }: { id: string }) {
  const [loaded, reload] = useLoad(id, (signal) => api.run(id, { signal }), {
    on: ({ run_id }) => run_id === id,
  });
  return shown(loaded, reload, (run) => {
    title(nameOf(run));
    return html`<div class="page">
      <p class="crumbs"><a href="#/jobs">Jobs</a> / <a href=${`#/jobs/${run.job_id}`}>its job</a></p>
      <header class="head"><h1>${nameOf(run)}</h1>${h(Badge, { status: run.status })}${h(Id, { id: run.id })}<span class="row">${h(Deeds, { run, reload })}</span></header>
      ${run.error && html`<p class="notice bad" role="status"><b>${(run.error.reason ?? run.error.code).replaceAll("_", " ")}</b> ${run.error.detail}</p>`}
      ${h(Figures, { run })}
      ${h(Body, { run })}
    </div>`;
  });
}

function Body({ run }: { run: Run }) {
  const [choice, choose] = useState<Choice>(null);
  const marks = useMarks(run);
  return html`<div class="beside">
    <div class="stack">${h(Waterfall, { run, marks, chosen: { choice, choose } })}${h(Views, { run })}</div>
    ${h(Details, { run, marks, choice })}
  </div>`;
}

function Deeds({ run, reload }: { run: Run; reload: () => void }) {
  if (!mayWrite()) return null;
  const isLive = run.status === "queued" || run.status === "active";
  const mayRetry = run.ended_at !== null && run.status !== "succeeded";
  const retry = async () => go(`#/runs/${(await api.retry(run.id)).id}`);
  return html`<span class="row">
    ${isLive && h(Deed, { label: "Abort", tone: "danger", question: "Abort this run?", act: () => api.cancelRun(run.id), onDone: reload })}
    ${run.status === "active" && h(Deed, { label: "Stop", question: "Let it end gracefully?", act: () => api.cancelRun(run.id, { mode: "stop" }), onDone: reload })}
    ${mayRetry && h(Deed, { label: "Retry", question: "Start a new run?", act: retry })}
  </span>`;
}

function Figures({ run }: { run: Run }) {
  const facts: (Fact | null | false)[] = [
    { name: "Kind", value: run.kind.replaceAll("_", " ") },
    { name: "Hardware", value: run.hardware ?? run.execution_type ?? "–" },
    { name: "Attempts", value: count(run.attempts) },
    {
      name: "Duration",
      value: html`<span>${duration(run.duration_ms)} <small>of ${duration(run.timeout * 1_000)} allowed</small></span>`,
    },
    { name: "Exit code", value: run.return_code ?? "–" },
    { name: "Cost", value: html`<span>${credits(run.cost)} <small>${run.cost_source}</small></span>` },
    run.gpu?.utilization_percent != null && {
      name: "GPU use",
      value: `${Math.round(run.gpu.utilization_percent.mean)} %`,
    },
    { name: "Created", value: h(When, { at: run.created_at }) },
    run.trace_url != null && {
      name: "Trace",
      value: html`<a href=${run.trace_url} target="_blank" rel="noopener noreferrer">open</a>`,
    },
    run.not_before !== null &&
      run.status === "queued" && { name: "Not before", value: h(When, { at: run.not_before }) },
    run.retry_of !== null && {
      name: "Repeats",
      value: html`<a href=${`#/runs/${run.retry_of}`}>an earlier run</a>`,
    },
  ];
  return h(Facts, { facts });
}

const tabTitles = {
  output: "Output",
  logs: "Logs",
  gpu: "GPU",
  spec: "Spec",
  callbacks: "Callbacks",
  events: "Events",
};

function Views({ run }: { run: Run }) {
  const current = place.value.query.get("tab") ?? "output";
  const tabs = Object.entries(tabTitles).map(([id, text]) => ({
    id,
    title: text,
    href: href(`runs/${run.id}`, { tab: id }),
  }));
  return html`<div class="stack">${h(Tabs, { tabs, current, label: "What the run left" })}${view(current, run)}</div>`;
}

function view(tab: string, run: Run) {
  if (tab === "logs") return h(Logs, { run });
  if (tab === "gpu") return h(Gpu, { run });
  if (tab === "spec") return h(Spec, { run });
  if (tab === "callbacks") return h(RunCallbacks, { run });
  if (tab === "events") return h(Events, { jobId: run.job_id, runId: run.id });
  return h(Output, { run });
}

function RunCallbacks({ run }: { run: Run }) {
  const [list, reload] = useLoad(
    `raw callbacks ${run.executions.length} ${run.id}`,
    async (signal) => {
      const lists = await Promise.all(
        run.executions.map(({ id }) => firstOf(api.callbacks(id, { signal }), 100)),
      );
      return lists.flatMap(({ data }) => data);
    },
    { on: ({ type, run_id }) => type === "callback.received" && run_id === run.id },
  );
  return shown(list, reload, (callbacks) => h(CallbackList, { callbacks }));
}
