// Webhooks: subscriptions to events. A submitter's webhook gets events of its own jobs, an administrator's of all.
import * as operations from "../../contract/operations/webhooks.ts";
import type { DisclosedWebhookView, WebhookView } from "../../contract/webhook.ts";
import {
  createWebhook,
  type Disclosed,
  MAX_WEBHOOKS,
  reviveWebhook,
  rotateWebhook,
} from "../../orchestration/webhooks.ts";
import { deleteWebhook, listWebhooks, type WebhookRow } from "../../store/webhooks.ts";
import { type Caller, ownerSeenBy } from "../auth.ts";
import { cursorOf, readCursor, toPage } from "../cursor.ts";
import { invalid, problem } from "../problem.ts";
import { callerOf } from "../read-request.ts";
import type { RequestContext } from "../request-context.ts";
import { resources } from "../resources.ts";
import { type Input, type Route, route } from "../route.ts";
import { iso, webhookUrlFor } from "../views/view.ts";

export const webhookRoutes: Route[] = [
  route({
    method: "POST",
    path: "/v1/webhooks",
    access: "write",
    operation: operations.createWebhook,
    handle: postWebhook,
  }),
  route({
    method: "GET",
    path: "/v1/webhooks",
    access: "read",
    operation: operations.listWebhooks,
    handle: getWebhooks,
  }),
  route({
    method: "GET",
    path: "/v1/webhooks/:webhook",
    access: "read",
    operation: operations.getWebhook,
    handle: getWebhook,
  }),
  route({
    method: "DELETE",
    path: "/v1/webhooks/:webhook",
    access: "write",
    operation: operations.deleteWebhook,
    handle: removeWebhook,
  }),
  route({
    method: "POST",
    path: "/v1/webhooks/:webhook/rotate",
    access: "write",
    operation: operations.rotateWebhook,
    handle: postRotate,
  }),
  route({
    method: "POST",
    path: "/v1/webhooks/:webhook/enable",
    access: "write",
    operation: operations.enableWebhook,
    handle: postEnable,
  }),
];

async function postWebhook({ c, context, body }: Input<typeof operations.createWebhook>) {
  const { url, types, secret = null } = body;
  const urlProblem = await context.webhookProblem(url);
  if (urlProblem !== null) return invalid(c, [{ pointer: "/url", detail: urlProblem.detail }]);
  const { name: apiKey, role } = callerOf(c);
  const created = await createWebhook(context, { apiKey, allJobs: role === "admin", url, types, secret });
  if (created === null)
    return problem(c, "conflict", `an API key may have ${MAX_WEBHOOKS} webhooks; delete one first`);
  c.header("Location", `/v1/webhooks/${created.webhook.id}`);
  return c.json(disclose(c, created), 201);
}

async function getWebhooks({ c, context, query: { limit, cursor } }: Input<typeof operations.listWebhooks>) {
  const before = readCursor(cursor, "webhook");
  if (!before.ok) return invalid(c, before.errors);
  const filter = { owner: ownerSeenBy(callerOf(c)), before: before.value };
  const webhooks = await listWebhooks(context.store.db, filter, limit + 1);
  const view = (webhook: WebhookRow) => viewWebhook(webhook, callerOf(c));
  return c.json(toPage(webhooks, limit, view, (webhook) => cursorOf("webhook", webhook.id)));
}

async function getWebhook({ c, webhook }: Input<typeof operations.getWebhook, "webhook">) {
  return c.json(viewWebhook(webhook, callerOf(c)));
}

async function removeWebhook({ c, context, webhook }: Input<typeof operations.deleteWebhook, "webhook">) {
  await context.store.write((tx) => deleteWebhook(tx.db, webhook.id));
  return c.body(null, 204);
}

async function postRotate({ c, context, body, webhook }: Input<typeof operations.rotateWebhook, "webhook">) {
  const rotated = await rotateWebhook(context, webhook.id, body.secret ?? null);
  return rotated === null ? deletedMeanwhile(c) : c.json(disclose(c, rotated));
}

async function postEnable({ c, context, webhook }: Input<typeof operations.enableWebhook, "webhook">) {
  const enabled = await reviveWebhook(context, webhook.id);
  return enabled === null ? deletedMeanwhile(c) : c.json(viewWebhook(enabled, callerOf(c)));
}

function deletedMeanwhile(c: RequestContext): Response {
  return problem(c, "not-found", resources.webhook.notFound);
}

function disclose(c: RequestContext, { webhook, secret }: Disclosed): DisclosedWebhookView {
  return { ...viewWebhook(webhook, callerOf(c)), secret };
}

function viewWebhook(webhook: WebhookRow, caller: Caller): WebhookView {
  return {
    id: webhook.id,
    url: webhookUrlFor(caller, webhook.url),
    types: JSON.parse(webhook.types) as string[],
    api_key: webhook.api_key,
    scope: webhook.all_jobs === 1 ? "all_jobs" : "own_jobs",
    status: webhook.disabled_at !== null ? "disabled" : webhook.failing_since !== null ? "failing" : "ok",
    created_at: iso(webhook.created_at),
    failing_since: iso(webhook.failing_since),
    disabled_at: iso(webhook.disabled_at),
    disabled_reason: webhook.disabled_reason,
  };
}
