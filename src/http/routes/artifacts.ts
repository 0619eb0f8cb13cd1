// What was fetched of a run after its end: output, timing, metrics, logs.
import * as operations from "../../contract/operations/runs.ts";
import { artifactQuery } from "../../contract/query.ts";
import { formatLogs, type LogEntry } from "../../domain/logs.ts";
import { type ArtifactState, listArtifacts, readDocument } from "../../store/artifacts.ts";
import { listExecutions } from "../../store/executions.ts";
import type { ArtifactKind } from "../../store/schema.ts";
import { isNamed } from "../accept.ts";
import type { Call, Desk } from "../call.ts";
import { whyNever } from "../missing.ts";
import { invalid, problem } from "../problem.ts";
import { queryOf, type Route } from "../route.ts";
import { iso } from "../view.ts";
import { noRun, runOf } from "./runs.ts";

export const artifactRoutes: Route[] = [
  {
    method: "GET",
    path: "/v1/runs/:run/output",
    isLarge: true,
    access: "read",
    operation: operations.getOutput,
    handle: (c, desk) => serve(c, desk, "record", output),
  },
  {
    method: "GET",
    path: "/v1/runs/:run/timing",
    isLarge: true,
    access: "read",
    operation: operations.getTiming,
    handle: (c, desk) => serve(c, desk, "timing", plain),
  },
  {
    method: "GET",
    path: "/v1/runs/:run/metrics",
    isLarge: true,
    access: "read",
    operation: operations.getMetrics,
    handle: (c, desk) => serve(c, desk, "metrics", metrics),
  },
  {
    method: "GET",
    path: "/v1/runs/:run/logs",
    isLarge: true,
    access: "read",
    operation: operations.getLogs,
    handle: (c, desk) => serve(c, desk, "logs", logs),
  },
];

interface Artifact {
  document: unknown;
  state: ArtifactState;
  ids: { run_id: string; execution_id: string };
}

/** Of the last execution, or of the one that made attempt `?attempt=`. */
async function serve(
  c: Call,
  desk: Desk,
  kind: ArtifactKind,
  show: (c: Call, artifact: Artifact) => Response,
): Promise<Response> {
  const query = queryOf(c, artifactQuery);
  if (!query.ok) return invalid(c, query.errors);
  const found = await runOf(c, desk);
  if (found === null) return noRun(c);
  const { attempt } = query.value;
  const executions = await listExecutions(desk.store.db, [found.run.id]);
  const execution =
    attempt === undefined ? executions.at(-1) : executions.find((one) => one.attempt === attempt);
  const never = whyNever(found.run);
  if (execution === undefined) {
    if (attempt !== undefined)
      return problem(c, "not-found", `the run (${found.run.status}) has not had an attempt ${attempt}`);
    return never === null
      ? problem(c, "not-ready", `the run (${found.run.status}) has not had an execution`)
      : problem(c, "unavailable", never);
  }
  const state = (await listArtifacts(desk.store.db, [execution.id])).find(
    (artifact) => artifact.kind === kind,
  );
  const document = state?.fetched_at == null ? null : await readDocument(desk.store.db, execution.id, kind);
  if (document !== null && state !== undefined) {
    return show(c, { document, state, ids: { run_id: found.run.id, execution_id: execution.id } });
  }
  if (state?.state === "unavailable") return problem(c, "unavailable", state.reason ?? "given up");
  if (state === undefined) {
    const isNone = execution.status === "rejected" || execution.status === "lost";
    const why = isNone ? `the execution is ${execution.status}: Lyceum has nothing to tell of it` : never;
    if (why !== null) return problem(c, "unavailable", why);
  }
  c.header("Retry-After", "2");
  return problem(
    c,
    "not-ready",
    `it is fetched after the end; the execution is ${execution.status}, the run ${found.run.status}`,
  );
}

/** The result goes out as the text that came; documents of former builds hold it parsed. */
function output(c: Call, { document, ids }: Artifact): Response {
  const { result_json: result = null, ...rest } = document as { result_json?: string | null };
  if (result === null) return c.json({ ...ids, result: null, ...rest });
  const others = JSON.stringify({ ...ids, ...rest });
  return c.body(`${others.slice(0, -1)},"result":${result}}`, 200, { "Content-Type": "application/json" });
}

function plain(c: Call, { document, ids }: Artifact): Response {
  return c.json({ ...ids, ...(document as object) });
}

function metrics(c: Call, { document, state, ids }: Artifact): Response {
  return c.json({ ...ids, summary: state.summary, document });
}

/**
 * JSON lines, or text for `Accept: text/plain`; some clients name it beside JSON without being asked to.
 * Two headers say how far the log is to be trusted.
 */
function logs(c: Call, { document, state }: Artifact): Response {
  const entries = document as LogEntry[];
  const { complete, truncated } = state.summary as { complete: boolean; truncated: boolean };
  c.header("X-Log-Complete", String(complete));
  c.header("X-Log-Truncated", String(truncated));
  c.header("X-Log-Fetched-At", iso(state.fetched_at) ?? "");
  if (isNamed(c, "text/plain") && !isNamed(c, "application/json", "application/x-ndjson"))
    return c.body(formatLogs(entries), 200, { "Content-Type": "text/plain; charset=utf-8" });
  const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
  return c.body(lines, 200, { "Content-Type": "application/x-ndjson" });
}
