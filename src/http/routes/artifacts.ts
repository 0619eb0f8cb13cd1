// Reading artifacts that were fetched after a run's end: output, timing, metrics, logs.
import * as operations from "../../contract/operations/runs.ts";
import { formatLogs, type LogEntry, showEntry } from "../../domain/logs.ts";
import type { ArtifactKind } from "../../store/db/schema.ts";
import { type Artifact, executionOf, type Show, serve } from "../artifact.ts";
import { acceptsExplicitly } from "../headers.ts";
import type { RequestContext } from "../request-context.ts";
import { type Input, type Route, route } from "../route.ts";
import { iso } from "../views/view.ts";
import { metricsRoute } from "./metrics.ts";

export const artifactRoutes: Route[] = [
  route({
    method: "GET",
    path: "/v1/runs/:run/output",
    isLarge: true,
    access: "read",
    operation: operations.getOutput,
    handle: (input) => get(input, "record", output),
  }),
  route({
    method: "GET",
    path: "/v1/runs/:run/timing",
    isLarge: true,
    access: "read",
    operation: operations.getTiming,
    handle: (input) => get(input, "timing", plain),
  }),
  metricsRoute,
  route({
    method: "GET",
    path: "/v1/runs/:run/logs",
    isLarge: true,
    access: "read",
    operation: operations.getLogs,
    handle: (input) => get(input, "logs", logs),
  }),
];

async function get(
  { c, context, query, run }: Input<typeof operations.getOutput, "run">,
  kind: ArtifactKind,
  show: Show,
): Promise<Response> {
  const found = await executionOf(c, context, run, query.attempt);
  return found instanceof Response ? found : serve(c, context, found, kind, show);
}

/** Sends the result as the text that Lyceum sent; documents of earlier versions hold it parsed. */
function output(c: RequestContext, { document, ids }: Artifact): Response {
  const { result_json: result = null, ...rest } = document as { result_json?: string | null };
  if (result === null) return c.json({ ...ids, result: null, ...rest });
  const fields = JSON.stringify({ ...ids, ...rest });
  return c.body(`${fields.slice(0, -1)},"result":${result}}`, 200, { "Content-Type": "application/json" });
}

function plain(c: RequestContext, { document, ids }: Artifact): Response {
  return c.json({ ...ids, ...(document as object) });
}

/**
 * Sends JSON lines, or text for `Accept: text/plain` without a JSON type: some clients always list both.
 * Headers say whether the log is complete or truncated.
 */
function logs(c: RequestContext, { document, state }: Artifact): Response {
  const entries = document as LogEntry[];
  const { complete, truncated } = state.summary as { complete: boolean; truncated: boolean };
  c.header("X-Log-Complete", String(complete));
  c.header("X-Log-Truncated", String(truncated));
  c.header("X-Log-Fetched-At", iso(state.fetched_at) ?? "");
  if (acceptsExplicitly(c, "text/plain") && !acceptsExplicitly(c, "application/json", "application/x-ndjson"))
    return c.body(formatLogs(entries), 200, { "Content-Type": "text/plain; charset=utf-8" });
  const lines = entries.map((entry) => `${JSON.stringify(showEntry(entry))}\n`).join("");
  return c.body(lines, 200, { "Content-Type": "application/x-ndjson" });
}
