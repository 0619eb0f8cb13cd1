// Reading, ending and repeating runs.
import * as operations from "../../contract/operations/runs.ts";
import { waitQuery } from "../../contract/query.ts";
import { retryBody } from "../../contract/run.ts";
import { cancelBody } from "../../contract/submission.ts";
import { cancelRun } from "../../orchestration/cancel.ts";
import { retryRun } from "../../orchestration/retry-run.ts";
import { listArtifacts } from "../../store/artifacts.ts";
import { listExecutions } from "../../store/executions.ts";
import type { JobRow } from "../../store/jobs.ts";
import { findRun, type RunRow } from "../../store/runs.ts";
import { loadSpec } from "../../store/specs.ts";
import { waitForEnd } from "../events/long-poll.ts";
import { invalid, problem } from "../problem.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { callerOf, idIn, jsonBody, queryOf, type Route } from "../route.ts";
import { viewSpec } from "../views/spec.ts";
import { viewRun } from "../views/view.ts";
import { jobSeen } from "../visible-job.ts";

export const runRoutes: Route[] = [
  { method: "GET", path: "/v1/runs/:run", access: "read", operation: operations.getRun, handle: getRun },
  {
    method: "GET",
    path: "/v1/runs/:run/spec",
    isLarge: true,
    access: "read",
    operation: operations.getSpec,
    handle: getSpec,
  },
  {
    method: "POST",
    path: "/v1/runs/:run/cancel",
    access: "write",
    operation: operations.cancelRun,
    handle: postCancel,
  },
  {
    method: "POST",
    path: "/v1/runs/:run/retry",
    access: "write",
    operation: operations.retryRun,
    handle: postRetry,
  },
];

/** How to show these runs: their executions and artifact states are read together. */
export async function viewRuns(desk: AppContext, runs: RunRow[]) {
  const executions = Map.groupBy(
    await listExecutions(
      desk.store.db,
      runs.map((run) => run.id),
    ),
    (one) => one.runId,
  );
  const ids = runs.flatMap((run) => (run.execution_id === null ? [] : [run.execution_id]));
  const artifacts = Map.groupBy(await listArtifacts(desk.store.db, ids), (one) => one.execution_id);
  return (run: RunRow) =>
    viewRun(run, executions.get(run.id) ?? [], artifacts.get(run.execution_id ?? "") ?? []);
}

/** The run that the path names with its job, if the caller may see it. */
export async function runOf(
  c: RequestContext,
  desk: AppContext,
): Promise<{ run: RunRow; job: JobRow } | null> {
  const run = await findRun(desk.store.db, idIn(c, "run"));
  const job = run === null ? null : await jobSeen(c, desk, run.job_id);
  return run === null || job === null ? null : { run, job };
}

export function noRun(c: RequestContext): Response {
  return problem(c, "not-found", "no run of yours has this id; it may have been deleted or pruned");
}

async function getRun(c: RequestContext, desk: AppContext): Promise<Response> {
  const query = queryOf(c, waitQuery);
  if (!query.ok) return invalid(c, query.errors);
  const run = await waitForEnd(c, desk, {
    id: idIn(c, "run"),
    waitMs: query.value.wait,
    awaited: query.value.for,
    look: async () => (await runOf(c, desk))?.run ?? null,
    isDecided: ({ outcome }) => outcome !== null,
  });
  if (run instanceof Response) return run;
  return run === null ? noRun(c) : answer(c, desk, run);
}

async function getSpec(c: RequestContext, desk: AppContext): Promise<Response> {
  const found = await runOf(c, desk);
  if (found === null) return noRun(c);
  const { run } = found;
  const submitted = await loadSpec(desk.store.db, { ...run, matrix: null });
  return c.json(viewSpec(run, submitted, callerOf(c).role !== "read"));
}

async function postCancel(c: RequestContext, desk: AppContext): Promise<Response> {
  const body = await jsonBody(c, cancelBody);
  if (!body.ok) return body.answer;
  const found = await runOf(c, desk);
  if (found === null) return noRun(c);
  await cancelRun(desk, found.run.id, { mode: body.value.mode, cause: "request" });
  return answer(c, desk, (await findRun(desk.store.db, found.run.id)) ?? found.run);
}

async function postRetry(c: RequestContext, desk: AppContext): Promise<Response> {
  const body = await jsonBody(c, retryBody);
  if (!body.ok) return body.answer;
  const found = await runOf(c, desk);
  if (found === null) return noRun(c);
  const retried = await retryRun(desk, found.job, found.run.id);
  if (retried.type === "refused") return problem(c, "conflict", retried.detail);
  c.header("Location", `/v1/runs/${retried.run.id}`);
  return answer(c, desk, retried.run, 202);
}

async function answer(
  c: RequestContext,
  desk: AppContext,
  run: RunRow,
  status: 200 | 202 = 200,
): Promise<Response> {
  const view = await viewRuns(desk, [run]);
  return c.json(view(run), status);
}
