// What was sent to webhooks and what came of it, and sending it once more. What subscribers answered is not kept.

import type { DeliveryView } from "../../contract/delivery.ts";
import * as operations from "../../contract/operations/webhooks.ts";
import { page } from "../../contract/query.ts";
import { deliverAgain } from "../../orchestration/webhooks.ts";
import { type DeliveryRow, findDelivery, listDeliveries, readLog } from "../../store/deliveries.ts";
import type { Caller } from "../auth.ts";
import { cursorOf, readCursor, toPage } from "../cursor.ts";
import { invalid, problem } from "../problem.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { callerOf, idIn, queryOf, type Route } from "../route.ts";
import { iso, webhookUrlFor } from "../views/view.ts";
import { jobOf, noJob } from "../visible-job.ts";
import { noWebhook, webhookOf } from "./webhooks.ts";

const ofWebhook = "/v1/webhooks/:webhook/deliveries";
/** Those to the job's own `webhook_url`, which belong to no webhook. */
const ofJob = "/v1/jobs/:job/deliveries";

export const deliveryRoutes: Route[] = [
  {
    method: "GET",
    path: ofWebhook,
    access: "read",
    operation: operations.listDeliveries,
    handle: getOfWebhook,
  },
  {
    method: "POST",
    path: `${ofWebhook}/:delivery/redeliver`,
    access: "write",
    operation: operations.redeliver,
    handle: redeliverOfWebhook,
  },
  { method: "GET", path: ofJob, access: "read", operation: operations.listJobDeliveries, handle: getOfJob },
  {
    method: "POST",
    path: `${ofJob}/:delivery/redeliver`,
    access: "write",
    operation: operations.redeliverOfJob,
    handle: redeliverOfJob,
  },
];

async function getOfWebhook(c: RequestContext, desk: AppContext): Promise<Response> {
  const webhook = await webhookOf(c, desk);
  return webhook === null ? noWebhook(c) : list(c, desk, { webhookId: webhook.id });
}

async function getOfJob(c: RequestContext, desk: AppContext): Promise<Response> {
  const job = await jobOf(c, desk);
  return job === null ? noJob(c) : list(c, desk, { jobId: job.id });
}

async function redeliverOfWebhook(c: RequestContext, desk: AppContext): Promise<Response> {
  const webhook = await webhookOf(c, desk);
  if (webhook === null) return noWebhook(c);
  if (webhook.disabled_at !== null) return problem(c, "conflict", "the webhook is disabled; enable it first");
  return redeliver(c, desk, (delivery) => delivery.webhook_id === webhook.id);
}

async function redeliverOfJob(c: RequestContext, desk: AppContext): Promise<Response> {
  const job = await jobOf(c, desk);
  if (job === null) return noJob(c);
  return redeliver(c, desk, (delivery) => delivery.webhook_id === null && delivery.job_id === job.id);
}

async function list(
  c: RequestContext,
  desk: AppContext,
  of: { webhookId: string } | { jobId: string },
): Promise<Response> {
  const query = queryOf(c, page);
  if (!query.ok) return invalid(c, query.errors);
  const { limit, cursor } = query.value;
  const before = readCursor(cursor, "delivery");
  if (!before.ok) return invalid(c, before.errors);
  const deliveries = await listDeliveries(desk.store.db, of, before.value, limit + 1);
  const view = (delivery: DeliveryRow) => viewDelivery(delivery, callerOf(c));
  return c.json(toPage(deliveries, limit, view, (delivery) => cursorOf("delivery", delivery.id)));
}

async function redeliver(
  c: RequestContext,
  desk: AppContext,
  isOne: (delivery: DeliveryRow) => boolean,
): Promise<Response> {
  const delivery = await findDelivery(desk.store.db, idIn(c, "delivery"));
  const again = delivery !== null && isOne(delivery) ? await deliverAgain(desk, delivery.id) : null;
  return again === null
    ? problem(c, "not-found", "there is no delivery of this id here; old ones are not kept")
    : c.json(viewDelivery(again, callerOf(c)), 202);
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
