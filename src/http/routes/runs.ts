// Reading, cancelling and retrying runs.
import * as operations from "../../contract/operations/runs.ts";
import type { RunDetailsView, RunView } from "../../contract/run.ts";
import { nextTurn } from "../../lib/next-turn.ts";
import { cancelRun } from "../../orchestration/cancel.ts";
import { retryRun } from "../../orchestration/retry-run.ts";
import { listArtifacts } from "../../store/artifacts.ts";
import { listExecutions } from "../../store/executions.ts";
import type { JobRow } from "../../store/jobs.ts";
import type { RunRow } from "../../store/run-rows.ts";
import { findRun } from "../../store/runs.ts";
import { loadSpec } from "../../store/specs.ts";
import { waitForEnd } from "../events/long-poll.ts";
import { traceUrlOf } from "../job-trace.ts";
import { problem } from "../problem.ts";
import { quotaProblem } from "../quota-problem.ts";
import { callerOf } from "../read-request.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { resources } from "../resources.ts";
import { type Input, type Route, route } from "../route.ts";
import { viewSpec } from "../views/spec.ts";
import { viewRun } from "../views/view.ts";

export const runRoutes: Route[] = [
  route({
    method: "GET",
    path: "/v1/runs/:run",
    access: "read",
    operation: operations.getRun,
    handle: getRun,
  }),
  route({
    method: "GET",
    path: "/v1/runs/:run/spec",
    isLarge: true,
    access: "read",
    operation: operations.getSpec,
    handle: getSpec,
  }),
  route({
    method: "POST",
    path: "/v1/runs/:run/cancel",
    access: "write",
    operation: operations.cancelRun,
    handle: postCancel,
  }),
  route({
    method: "POST",
    path: "/v1/runs/:run/retry",
    access: "write",
    operation: operations.retryRun,
    handle: postRetry,
  }),
];

/** Executions and artifact states are read at once. */
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

async function getRun({ c, context, query, job, run }: Input<typeof operations.getRun, "run">) {
  const current = await waitForEnd(c, context, {
    current: run,
    waitMs: query.wait,
    awaited: query.for,
    read: async () => (await resources.run.find(c, context))?.run ?? null,
    isDecided: ({ outcome }) => outcome !== null,
  });
  if (current instanceof Response) return current;
  return current === null
    ? problem(c, "not-found", resources.run.notFound)
    : answer(c, context, job, current);
}

async function getSpec({ c, context, run }: Input<typeof operations.getSpec, "run">) {
  const submitted = await loadSpec(context.store.db, { ...run, matrix: null });
  return c.json(viewSpec(run, submitted, callerOf(c).role !== "read"));
}

async function postCancel({ c, context, body, job, run }: Input<typeof operations.cancelRun, "run">) {
  await cancelRun(context, run.id, { mode: body.mode, cause: "request" });
  return answer(c, context, job, (await findRun(context.store.db, run.id)) ?? run);
}

async function postRetry({ c, context, job, run }: Input<typeof operations.retryRun, "run">) {
  const retried = await retryRun(context, job, run.id);
  if (retried.type === "quota") return quotaProblem(c, retried.exceeded, 1);
  if (retried.type === "refused") return problem(c, "conflict", retried.detail);
  c.header("Location", `/v1/runs/${retried.run.id}`);
  return answer(c, context, job, retried.run, 202);
}

async function answer(
  c: RequestContext,
  context: AppContext,
  job: JobRow,
  run: RunRow,
  status: 200 | 202 = 200,
): Promise<Response> {
  const view = await viewRuns(context, [run]);
  const details: RunDetailsView = { ...view(run), trace_url: traceUrlOf(context, job.traceparent) };
  return c.json(details, status);
}
