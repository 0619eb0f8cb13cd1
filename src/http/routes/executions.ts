// One execution, and the callbacks received for it.
import * as operations from "../../contract/operations/executions.ts";
import { page } from "../../contract/query.ts";
import type { Execution } from "../../domain/execution.ts";
import { callbackToken } from "../../domain/token.ts";
import { listCallbacks } from "../../store/callbacks.ts";
import { findExecution } from "../../store/executions.ts";
import type { Call, Desk } from "../call.ts";
import { cursorOf, readCursor, toPage } from "../cursor.ts";
import { jobSeen } from "../job.ts";
import { invalid, problem } from "../problem.ts";
import { redactBody } from "../redact.ts";
import { idIn, queryOf, type Route } from "../route.ts";
import { viewCallback, viewExecution } from "../view.ts";

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

async function getExecution(c: Call, desk: Desk): Promise<Response> {
  const execution = await executionOf(c, desk);
  return execution === null ? noExecution(c) : c.json(viewExecution(execution));
}

async function getCallbacks(c: Call, desk: Desk): Promise<Response> {
  const query = queryOf(c, page);
  if (!query.ok) return invalid(c, query.errors);
  const execution = await executionOf(c, desk);
  if (execution === null) return noExecution(c);
  const { limit, cursor } = query.value;
  const after = readCursor(cursor, "callback");
  if (!after.ok) return invalid(c, after.errors);
  const callbacks = await listCallbacks(desk.store.db, execution.id, after.value ?? "", limit + 1);
  // Lyceum may quote the callback URL in its body; its token must not be shown.
  const tokens = desk.callbackSecrets.map((secret) => callbackToken(secret, execution.id));
  const redact = (text: string) => redactBody(text, tokens);
  return c.json(
    toPage(
      callbacks,
      limit,
      (one) => viewCallback(one, redact),
      (one) => cursorOf("callback", one.id),
    ),
  );
}

async function executionOf(c: Call, desk: Desk): Promise<Execution | null> {
  const execution = await findExecution(desk.store.db, idIn(c, "execution"));
  const job = execution === null ? null : await jobSeen(c, desk, execution.jobId);
  return job === null ? null : execution;
}

function noExecution(c: Call): Response {
  return problem(c, "not-found", "no execution of yours has this id; one that Lyceum never took is not kept");
}
