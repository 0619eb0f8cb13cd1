// One execution, and the callbacks received for it.
import type { CallbackView } from "../../contract/execution.ts";
import * as operations from "../../contract/operations/executions.ts";
import { page } from "../../contract/query.ts";
import { callbackToken } from "../../domain/callback-token.ts";
import type { Execution } from "../../domain/execution.ts";
import { secretsOf } from "../../domain/secrets.ts";
import { type CallbackRow, listCallbacks } from "../../store/callbacks.ts";
import { findExecution } from "../../store/executions.ts";
import { findRun } from "../../store/runs.ts";
import { loadSpec } from "../../store/specs.ts";
import { cursorOf, readCursor, toPage } from "../cursor.ts";
import { invalid, problem } from "../problem.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { callerOf, idIn, queryOf, type Route } from "../route.ts";
import { callbackViewer } from "../views/callback.ts";
import type { Secrets } from "../views/mask.ts";
import { viewExecution } from "../views/view.ts";
import { jobSeen } from "../visible-job.ts";

export const executionRoutes: Route[] = [
  {
    method: "GET",
    path: "/v1/executions/:execution",
    access: "read",
    operation: operations.getExecution,
    handle: getExecution,
  },
  {
    method: "GET",
    path: "/v1/executions/:execution/callbacks",
    isLarge: true,
    access: "read",
    operation: operations.listCallbacks,
    handle: getCallbacks,
  },
];

async function getExecution(c: RequestContext, desk: AppContext): Promise<Response> {
  const execution = await executionOf(c, desk);
  return execution === null ? noExecution(c) : c.json(viewExecution(execution));
}

async function getCallbacks(c: RequestContext, desk: AppContext): Promise<Response> {
  const query = queryOf(c, page);
  if (!query.ok) return invalid(c, query.errors);
  const execution = await executionOf(c, desk);
  if (execution === null) return noExecution(c);
  const { limit, cursor } = query.value;
  const after = readCursor(cursor, "callback");
  if (!after.ok) return invalid(c, after.errors);
  const callbacks = await listCallbacks(desk.store.db, execution.id, after.value ?? "", limit + 1);
  const view = callbackViewer(await secretsIn(desk, execution), callerOf(c).role !== "read");
  const shown = new Map<string, CallbackView>();
  for (const callback of callbacks.slice(0, limit)) {
    shown.set(callback.id, view(callback));
    // A body may take some milliseconds, and a page holds many.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const viewOf = ({ id }: CallbackRow) => shown.get(id) as CallbackView;
  return c.json(toPage(callbacks, limit, viewOf, ({ id }) => cursorOf("callback", id)));
}

/** Lyceum may quote in a callback whatever the run was given, and the callback's own URL. */
async function secretsIn(desk: AppContext, { id, runId }: Execution): Promise<Secrets> {
  const run = await findRun(desk.store.db, runId);
  const values = run === null ? [] : secretsOf(await loadSpec(desk.store.db, run));
  return { values, tokens: desk.callbackSecrets.map((secret) => callbackToken(secret, id)) };
}

async function executionOf(c: RequestContext, desk: AppContext): Promise<Execution | null> {
  const execution = await findExecution(desk.store.db, idIn(c, "execution"));
  const job = execution === null ? null : await jobSeen(c, desk, execution.jobId);
  return job === null ? null : execution;
}

function noExecution(c: RequestContext): Response {
  return problem(c, "not-found", "no execution of yours has this id; one that Lyceum never took is not kept");
}
