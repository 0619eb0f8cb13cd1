// Received callbacks: those of an execution, and those of all executions.
import type { CallbackView } from "../../contract/execution.ts";
import * as operations from "../../contract/operations/executions.ts";
import { callbackToken } from "../../domain/callback-token.ts";
import { secretsOf } from "../../domain/secrets.ts";
import { nextTurn } from "../../lib/next-turn.ts";
import { listAllCallbacks, listCallbacks } from "../../orchestration/list-callbacks.ts";
import type { CallbackRow } from "../../store/callbacks.ts";
import { findExecutions } from "../../store/executions.ts";
import { findRuns } from "../../store/runs.ts";
import { loadSpecs } from "../../store/specs.ts";
import { ownerSeenBy } from "../auth.ts";
import { cursorOf, pageOf, readCursor, toPage } from "../cursor.ts";
import { invalid } from "../problem.ts";
import { callerOf } from "../read-request.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { type Input, type Route, route } from "../route.ts";
import { callbackViewer } from "../views/callback.ts";
import type { Secrets } from "../views/mask.ts";

export const inboxRoutes: Route[] = [
  route({
    method: "GET",
    path: "/v1/executions/:execution/callbacks",
    isLarge: true,
    access: "read",
    operation: operations.listCallbacks,
    handle: getOfExecution,
  }),
  route({
    method: "GET",
    path: "/v1/callbacks",
    isLarge: true,
    access: "read",
    operation: operations.listInbox,
    handle: getInbox,
  }),
];

async function getOfExecution({
  c,
  context,
  query: { limit, cursor },
  execution,
}: Input<typeof operations.listCallbacks, "execution">) {
  const after = readCursor(cursor, "callback");
  if (!after.ok) return invalid(c, after.errors);
  const callbacks = await listCallbacks(context.store.db, execution.id, after.value ?? "", limit + 1);
  const view = await viewCallbacks(c, context, callbacks.slice(0, limit));
  return c.json(toPage(callbacks, limit, view, ({ id }) => cursorOf("callback", id)));
}

async function getInbox({ c, context, query }: Input<typeof operations.listInbox>) {
  const { limit, cursor, disposition, execution_id, received_after, received_before } = query;
  const before = readCursor(cursor, "inbox");
  if (!before.ok) return invalid(c, before.errors);
  const filter = {
    owner: ownerSeenBy(callerOf(c)),
    disposition,
    executionId: execution_id,
    receivedAfter: received_after,
    receivedBefore: received_before,
    before: before.value ?? null,
  };
  const found = await listAllCallbacks(context.store.db, filter, limit);
  return c.json(pageOf(found, "inbox", await viewCallbacks(c, context, found.rows)));
}

/** Decoding a body may take some milliseconds, and a page holds many. */
async function viewCallbacks(c: RequestContext, context: AppContext, callbacks: CallbackRow[]) {
  const secrets = await secretsIn(context, [...new Set(callbacks.map(({ execution_id }) => execution_id))]);
  const isTrusted = callerOf(c).role !== "read";
  const shown = new Map<string, CallbackView>();
  for (const [executionId, received] of Map.groupBy(callbacks, ({ execution_id }) => execution_id)) {
    const view = callbackViewer(secrets(executionId), isTrusted);
    for (const callback of received) {
      shown.set(callback.id, view(callback));
      await nextTurn();
    }
  }
  return ({ id }: CallbackRow) => shown.get(id) as CallbackView;
}

/** Lyceum may quote the run's input and the callback URL. */
async function secretsIn(context: AppContext, executionIds: string[]): Promise<(id: string) => Secrets> {
  const executions = await findExecutions(context.store.db, executionIds);
  const runs = await findRuns(context.store.db, [...new Set(executions.map(({ runId }) => runId))]);
  const specs = await loadSpecs(context.store.db, runs);
  const values = new Map(
    runs.map((run, index) => [run.id, secretsOf(specs[index] as (typeof specs)[number])]),
  );
  const runIds = new Map(executions.map(({ id, runId }) => [id, runId]));
  return (id) => ({
    values: values.get(runIds.get(id) ?? "") ?? [],
    tokens: context.callbackSecrets.map((secret) => callbackToken(secret, id)),
  });
}
