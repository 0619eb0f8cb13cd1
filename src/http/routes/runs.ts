// Reading, cancelling and retrying runs.
import * as operations from "../../contract/operations/runs.ts";
import { waitQuery } from "../../contract/query.ts";
import { type RunView, retryBody } from "../../contract/run.ts";
import { cancelBody } from "../../contract/submission.ts";
import { cancelRun } from "../../orchestration/cancel.ts";
import { retryRun } from "../../orchestration/retry-run.ts";
import { listArtifacts } from "../../store/artifacts.ts";
import { listExecutions } from "../../store/executions.ts";
import type { JobRow } from "../../store/jobs.ts";
import { findRun, type RunRow } from "../../store/runs.ts";
import { nextTurn } from "../../store/scan.ts";
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

/** Returns a function that shows these runs. Their executions and artifact states are read at once, some in a turn. */
export async function viewRuns(context: AppContext, runs: RunRow[]): Promise<(run: RunRow) => RunView> {
  const { db } = context.store;
  const views = new Map<string, RunView>();
  for (let from = 0; from < runs.length; from += RUNS_IN_A_TURN) {
    if (from > 0) await nextTurn();
    const some = runs.slice(from, from + RUNS_IN_A_TURN);
    const ids = some.map((run) => run.id);
    const executions = Map.groupBy(await listExecutions(db, ids), ({ runId }) => runId);
    const lastIds = some.flatMap((run) => run.execution_id ?? []);
    const artifacts = Map.groupBy(await listArtifacts(db, lastIds), (state) => state.execution_id);
    for (const run of some)
      views.set(
        run.id,
        viewRun(run, executions.get(run.id) ?? [], artifacts.get(run.execution_id ?? "") ?? []),
      );
  }
  return ({ id }) => views.get(id) as RunView;
}

const RUNS_IN_A_TURN = 250;

/** The run named by the path, with its job, if the caller may see it. */
export async function runOf(
  c: RequestContext,
  context: AppContext,
): Promise<{ run: RunRow; job: JobRow } | null> {
  const run = await findRun(context.store.db, idIn(c, "run"));
  const job = run === null ? null : await jobSeen(c, context, run.job_id);
  return run === null || job === null ? null : { run, job };
}

export function noRun(c: RequestContext): Response {
  return problem(
    c,
    "not-found",
    "no run with this id is visible to this API key; it may have been deleted or pruned",
  );
}

async function getRun(c: RequestContext, context: AppContext): Promise<Response> {
  const query = queryOf(c, waitQuery);
  if (!query.ok) return invalid(c, query.errors);
  const run = await waitForEnd(c, context, {
    id: idIn(c, "run"),
    waitMs: query.value.wait,
    awaited: query.value.for,
    read: async () => (await runOf(c, context))?.run ?? null,
    isDecided: ({ outcome }) => outcome !== null,
  });
  if (run instanceof Response) return run;
  return run === null ? noRun(c) : answer(c, context, run);
}

async function getSpec(c: RequestContext, context: AppContext): Promise<Response> {
  const found = await runOf(c, context);
  if (found === null) return noRun(c);
  const { run } = found;
  const submitted = await loadSpec(context.store.db, { ...run, matrix: null });
  return c.json(viewSpec(run, submitted, callerOf(c).role !== "read"));
}

async function postCancel(c: RequestContext, context: AppContext): Promise<Response> {
  const body = await jsonBody(c, cancelBody);
  if (!body.ok) return body.answer;
  const found = await runOf(c, context);
  if (found === null) return noRun(c);
  await cancelRun(context, found.run.id, { mode: body.value.mode, cause: "request" });
  return answer(c, context, (await findRun(context.store.db, found.run.id)) ?? found.run);
}

async function postRetry(c: RequestContext, context: AppContext): Promise<Response> {
  const body = await jsonBody(c, retryBody);
  if (!body.ok) return body.answer;
  const found = await runOf(c, context);
  if (found === null) return noRun(c);
  const retried = await retryRun(context, found.job, found.run.id);
  if (retried.type === "refused") return problem(c, "conflict", retried.detail);
  c.header("Location", `/v1/runs/${retried.run.id}`);
  return answer(c, context, retried.run, 202);
}

async function answer(
  c: RequestContext,
  context: AppContext,
  run: RunRow,
  status: 200 | 202 = 200,
): Promise<Response> {
  const view = await viewRuns(context, [run]);
  return c.json(view(run), status);
}
