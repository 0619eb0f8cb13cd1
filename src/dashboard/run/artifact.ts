// Artifacts that are not there: why, and whether they will be.
import type { VNode } from "preact";
import type { Run } from "../../client/client.ts";
import { html } from "../html.ts";
import { empty } from "../view/state.ts";

type Kind = "record" | "timing" | "logs" | "metrics";

const names: Record<Kind, string> = { record: "output", timing: "timing", logs: "log", metrics: "metrics" };

/** Null when the artifact can be read: an artifact that is known to be missing is not requested. */
export function notYet(run: Run, kind: Kind): VNode | null {
  const artifact = run.artifacts[kind];
  if (artifact?.fetched_at != null) return null;
  if (artifact?.state === "unavailable")
    return empty(`The ${names[kind]} could not be had`, artifact.reason ?? "It was given up.");
  if (run.executions.length === 0) return empty(`No ${names[kind]} yet`, "The run waits for its start.");
  if (run.ended_at !== null)
    return empty(`There is no ${names[kind]}`, "Lyceum has nothing to tell of this run.");
  return empty(
    `No ${names[kind]} yet`,
    html`<p>It is fetched after the end; the run is ${run.status}. This page shows it by itself.</p>`,
  );
}
