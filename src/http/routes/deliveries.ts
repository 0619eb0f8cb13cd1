// Deliveries to webhooks. Answers of subscribers are not kept.
import type { z } from "zod";
import type { DeliveryView } from "../../contract/delivery.ts";
import * as operations from "../../contract/operations/webhooks.ts";
import type { page } from "../../contract/query.ts";
import { deliverAgain } from "../../orchestration/webhooks.ts";
import { type DeliveryRow, findDelivery, listDeliveries, readLog } from "../../store/deliveries.ts";
import type { Caller } from "../auth.ts";
import { cursorOf, readCursor, toPage } from "../cursor.ts";
import { invalid, problem } from "../problem.ts";
import { callerOf, idIn } from "../read-request.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { type Input, type Route, route } from "../route.ts";
import { iso, webhookUrlFor } from "../views/view.ts";

const ofWebhook = "/v1/webhooks/:webhook/deliveries";
/** Such deliveries belong to no webhook. */
const ofJob = "/v1/jobs/:job/deliveries";

export const deliveryRoutes: Route[] = [
  route({
    method: "GET",
    path: ofWebhook,
    access: "read",
    operation: operations.listDeliveries,
    handle: getOfWebhook,
  }),
  route({
    method: "POST",
    path: `${ofWebhook}/:delivery/redeliver`,
    access: "write",
    operation: operations.redeliver,
    handle: redeliverOfWebhook,
  }),
  route({
    method: "GET",
    path: ofJob,
    access: "read",
    operation: operations.listJobDeliveries,
    handle: getOfJob,
  }),
  route({
    method: "POST",
    path: `${ofJob}/:delivery/redeliver`,
    access: "write",
    operation: operations.redeliverOfJob,
    handle: redeliverOfJob,
  }),
];

async function getOfWebhook({
  c,
  context,
  query,
  webhook,
}: Input<typeof operations.listDeliveries, "webhook">) {
  return list(c, context, query, { webhookId: webhook.id });
}

async function getOfJob({ c, context, query, job }: Input<typeof operations.listJobDeliveries, "job">) {
  return list(c, context, query, { jobId: job.id });
}

async function redeliverOfWebhook({ c, context, webhook }: Input<typeof operations.redeliver, "webhook">) {
  if (webhook.disabled_at !== null) return problem(c, "conflict", "the webhook is disabled; enable it first");
  return redeliver(c, context, (delivery) => delivery.webhook_id === webhook.id);
}

async function redeliverOfJob({ c, context, job }: Input<typeof operations.redeliverOfJob, "job">) {
  return redeliver(c, context, (delivery) => delivery.webhook_id === null && delivery.job_id === job.id);
}

async function list(
  c: RequestContext,
  context: AppContext,
  { limit, cursor }: z.output<typeof page>,
  of: { webhookId: string } | { jobId: string },
): Promise<Response> {
  const before = readCursor(cursor, "delivery");
  if (!before.ok) return invalid(c, before.errors);
  const deliveries = await listDeliveries(context.store.db, of, before.value, limit + 1);
  const view = (delivery: DeliveryRow) => viewDelivery(delivery, callerOf(c));
  return c.json(toPage(deliveries, limit, view, (delivery) => cursorOf("delivery", delivery.id)));
}

async function redeliver(
  c: RequestContext,
  context: AppContext,
  isInScope: (delivery: DeliveryRow) => boolean,
): Promise<Response> {
  const delivery = await findDelivery(context.store.db, idIn(c, "delivery"));
  const repeated = delivery !== null && isInScope(delivery) ? await deliverAgain(context, delivery.id) : null;
  return repeated === null
    ? problem(c, "not-found", "no such delivery here; old deliveries are not kept")
    : c.json(viewDelivery(repeated, callerOf(c)), 202);
}

function viewDelivery(delivery: DeliveryRow, caller: Caller): DeliveryView {
  return {
    id: delivery.id,
    webhook_id: delivery.webhook_id,
    job_id: delivery.job_id,
    event_id: delivery.event_id,
    type: delivery.type,
    url: webhookUrlFor(caller, delivery.url),
    state: delivery.state,
    reason: delivery.reason,
    attempts: delivery.attempts,
    next_attempt_at: iso(delivery.due_at),
    created_at: iso(delivery.created_at),
    ended_at: iso(delivery.ended_at),
    log: readLog(delivery.log).map(({ at, durationMs, status, error }) => ({
      at: iso(at),
      duration_ms: durationMs,
      status,
      error,
    })),
  };
}
