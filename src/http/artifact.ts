// Finds an execution of a run, and its stored artifacts, for the routes.
import type { Execution } from "../domain/execution.ts";
import { type ArtifactState, listArtifacts, readDocument } from "../store/artifacts.ts";
import type { ArtifactKind } from "../store/db/schema.ts";
import { listExecutions } from "../store/executions.ts";
import type { RunRow } from "../store/runs.ts";
import { problem } from "./problem.ts";
import type { AppContext, RequestContext } from "./request-context.ts";
import { noRun, runOf } from "./routes/runs.ts";
import { unavailableReason } from "./views/unavailable.ts";

export interface Found {
  run: RunRow;
  execution: Execution;
}

/**
 * The last execution, or the one that made this attempt; else the problem to answer.
 * @param notYet the kind of problem that a run is before its first execution
 */
export async function executionOf(
  c: RequestContext,
  desk: AppContext,
  attempt: number | undefined,
  notYet: "not-ready" | "conflict" = "not-ready",
): Promise<Found | Response> {
  const found = await runOf(c, desk);
  if (found === null) return noRun(c);
  const { run } = found;
  const executions = await listExecutions(desk.store.db, [run.id]);
  const execution =
    attempt === undefined ? executions.at(-1) : executions.find((one) => one.attempt === attempt);
  if (execution !== undefined) return { run, execution };
  if (attempt !== undefined)
    return problem(c, "not-found", `the run (${run.status}) has not had an attempt ${attempt}`);
  const never = unavailableReason(run);
  return never === null
    ? problem(c, notYet, `the run (${run.status}) has not had an execution`)
    : problem(c, "unavailable", never);
}

export interface Artifact {
  document: unknown;
  state: ArtifactState;
  ids: ReturnType<typeof idsOf>;
}

export type Show = (c: RequestContext, artifact: Artifact) => Response;

export function idsOf({ run, execution }: Found) {
  return { run_id: run.id, execution_id: execution.id };
}

export async function serve(
  c: RequestContext,
  desk: AppContext,
  found: Found,
  kind: ArtifactKind,
  show: Show,
): Promise<Response> {
  const { run, execution } = found;
  const state = (await listArtifacts(desk.store.db, [execution.id])).find(
    (artifact) => artifact.kind === kind,
  );
  const document = state?.fetched_at == null ? null : await readDocument(desk.store.db, execution.id, kind);
  if (document !== null && state !== undefined) return show(c, { document, state, ids: idsOf(found) });
  if (state?.state === "unavailable") return problem(c, "unavailable", state.reason ?? "given up");
  if (state === undefined) {
    const isNone = execution.status === "rejected" || execution.status === "lost";
    const why = isNone
      ? `the execution is ${execution.status}: Lyceum has nothing to tell of it`
      : unavailableReason(run);
    if (why !== null) return problem(c, "unavailable", why);
  }
  c.header("Retry-After", "2");
  return problem(
    c,
    "not-ready",
    `it is fetched after the end; the execution is ${execution.status}, the run ${run.status}`,
  );
}
