// Finds a run's execution and its stored artifacts.
import type { Execution } from "../domain/execution.ts";
import { type ArtifactState, listArtifacts, readDocument } from "../store/artifacts.ts";
import type { ArtifactKind } from "../store/db/schema.ts";
import { listExecutions } from "../store/executions.ts";
import type { RunRow } from "../store/run-rows.ts";
import { problem } from "./problem.ts";
import type { AppContext, RequestContext } from "./request-context.ts";
import { unavailableReason } from "./views/view.ts";

export interface Found {
  run: RunRow;
  execution: Execution;
}

/** The last execution, or that of the attempt. @param notYet the kind of problem before the first execution */
export async function executionOf(
  c: RequestContext,
  context: AppContext,
  run: RunRow,
  attempt: number | undefined,
  notYet: "not-ready" | "conflict" = "not-ready",
): Promise<Found | Response> {
  const executions = await listExecutions(context.store.db, [run.id]);
  const execution =
    attempt === undefined ? executions.at(-1) : executions.find((execution) => execution.attempt === attempt);
  if (execution !== undefined) return { run, execution };
  if (attempt !== undefined)
    return problem(c, "not-found", `the run (${run.status}) has no attempt ${attempt}`);
  const never = unavailableReason(run);
  return never === null
    ? problem(c, notYet, `the run (${run.status}) has no execution yet`)
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
  context: AppContext,
  found: Found,
  kind: ArtifactKind,
  show: Show,
): Promise<Response> {
  const { run, execution } = found;
  const state = (await listArtifacts(context.store.db, [execution.id])).find(
    (artifact) => artifact.kind === kind,
  );
  const document =
    state?.fetched_at == null ? null : await readDocument(context.store.db, execution.id, kind);
  if (document !== null && state !== undefined) return show(c, { document, state, ids: idsOf(found) });
  if (state?.state === "unavailable")
    return problem(c, "unavailable", state.reason ?? "fetching it was given up");
  if (state === undefined) {
    const isNone = execution.status === "rejected" || execution.status === "lost";
    const reason = isNone
      ? `the execution is ${execution.status}: Lyceum has no record of it`
      : unavailableReason(run);
    if (reason !== null) return problem(c, "unavailable", reason);
  }
  c.header("Retry-After", "2");
  return problem(
    c,
    "not-ready",
    `artifacts are fetched after the end; the execution is ${execution.status}, the run ${run.status}`,
  );
}
