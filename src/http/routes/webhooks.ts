// Webhooks: subscriptions to events. A submitter's webhook gets events of its own jobs, an administrator's of all.
import * as operations from "../../contract/operations/webhooks.ts";
import { page } from "../../contract/query.ts";
import {
  type DisclosedWebhookView,
  rotateBody,
  type WebhookView,
  webhookBody,
} from "../../contract/webhook.ts";
import {
  createWebhook,
  type Disclosed,
  MAX_WEBHOOKS,
  reviveWebhook,
  rotateWebhook,
} from "../../orchestration/webhooks.ts";
import { deleteWebhook, findWebhook, listWebhooks, type WebhookRow } from "../../store/webhooks.ts";
import { type Caller, ownerSeenBy } from "../auth.ts";
import { cursorOf, readCursor, toPage } from "../cursor.ts";
import { invalid, problem } from "../problem.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { callerOf, idIn, jsonBody, queryOf, type Route } from "../route.ts";
import { iso, webhookUrlFor } from "../views/view.ts";

export const webhookRoutes: Route[] = [
  {
    method: "POST",
    path: "/v1/webhooks",
    access: "write",
    operation: operations.createWebhook,
    handle: postWebhook,
  },
  {
    method: "GET",
    path: "/v1/webhooks",
    access: "read",
    operation: operations.listWebhooks,
    handle: getWebhooks,
  },
  {
    method: "GET",
    path: "/v1/webhooks/:webhook",
    access: "read",
    operation: operations.getWebhook,
    handle: getWebhook,
  },
  {
    method: "DELETE",
    path: "/v1/webhooks/:webhook",
    access: "write",
    operation: operations.deleteWebhook,
    handle: removeWebhook,
  },
  {
    method: "POST",
    path: "/v1/webhooks/:webhook/rotate",
    access: "write",
    operation: operations.rotateWebhook,
    handle: postRotate,
  },
  {
    method: "POST",
    path: "/v1/webhooks/:webhook/enable",
    access: "write",
    operation: operations.enableWebhook,
    handle: postEnable,
  },
];

async function postWebhook(c: RequestContext, context: AppContext): Promise<Response> {
  const body = await jsonBody(c, webhookBody);
  if (!body.ok) return body.answer;
  const { url, types, secret = null } = body.value;
  const urlProblem = await context.webhookProblem(url);
  if (urlProblem !== null) return invalid(c, [{ pointer: "/url", detail: urlProblem.detail }]);
  const { name: apiKey, role } = callerOf(c);
  const created = await createWebhook(context, { apiKey, allJobs: role === "admin", url, types, secret });
  if (created === null)
    return problem(c, "conflict", `an API key may have ${MAX_WEBHOOKS} webhooks; delete one first`);
  c.header("Location", `/v1/webhooks/${created.webhook.id}`);
  return c.json(disclose(c, created), 201);
}

async function getWebhooks(c: RequestContext, context: AppContext): Promise<Response> {
  const query = queryOf(c, page);
  if (!query.ok) return invalid(c, query.errors);
  const { limit, cursor } = query.value;
  const before = readCursor(cursor, "webhook");
  if (!before.ok) return invalid(c, before.errors);
  const filter = { owner: ownerSeenBy(callerOf(c)), before: before.value };
  const webhooks = await listWebhooks(context.store.db, filter, limit + 1);
  const view = (webhook: WebhookRow) => viewWebhook(webhook, callerOf(c));
  return c.json(toPage(webhooks, limit, view, (webhook) => cursorOf("webhook", webhook.id)));
}

async function getWebhook(c: RequestContext, context: AppContext): Promise<Response> {
  const webhook = await webhookOf(c, context);
  return webhook === null ? noWebhook(c) : c.json(viewWebhook(webhook, callerOf(c)));
}

async function removeWebhook(c: RequestContext, context: AppContext): Promise<Response> {
  const webhook = await webhookOf(c, context);
  if (webhook === null) return noWebhook(c);
  await context.store.write((tx) => deleteWebhook(tx.db, webhook.id));
  return c.body(null, 204);
}

async function postRotate(c: RequestContext, context: AppContext): Promise<Response> {
  const body = await jsonBody(c, rotateBody);
  if (!body.ok) return body.answer;
  const webhook = await webhookOf(c, context);
  const rotated =
    webhook === null ? null : await rotateWebhook(context, webhook.id, body.value.secret ?? null);
  return rotated === null ? noWebhook(c) : c.json(disclose(c, rotated));
}

async function postEnable(c: RequestContext, context: AppContext): Promise<Response> {
  const webhook = await webhookOf(c, context);
  const enabled = webhook === null ? null : await reviveWebhook(context, webhook.id);
  return enabled === null ? noWebhook(c) : c.json(viewWebhook(enabled, callerOf(c)));
}

/** The webhook named by the path, if the caller may see it. */
export function webhookOf(c: RequestContext, context: AppContext): Promise<WebhookRow | null> {
  return findWebhook(context.store.db, idIn(c, "webhook"), ownerSeenBy(callerOf(c)));
}

export function noWebhook(c: RequestContext): Response {
  return problem(c, "not-found", "no webhook with this id is visible to this API key");
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
