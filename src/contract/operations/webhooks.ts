// Operations on webhooks and deliveries.
import { delivery } from "../delivery.ts";
import { pageOf } from "../field.ts";
import { json, jsonBodyOf, type Operation } from "../operation.ts";
import { page } from "../query.ts";
import { disclosedWebhook, rotateBody, webhook, webhookBody } from "../webhook.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

export const createWebhook = {
  id: "createWebhook",
  tag: "Webhooks",
  summary: "Subscribe to events",
  description:
    "A submitter's webhook gets events of its own key's jobs, an administrator's of all jobs. The URL must have a public address. An API key may have 20 webhooks.",
  body: jsonBodyOf(webhookBody, { ends: { url: "https://worker.example.com/hook", types: ["job.*"] } }),
  answers: {
    201: json(disclosedWebhook, "The webhook with its secret, which is not shown again.", {
      Location: "The webhook's path.",
    }),
  },
  problems: ["conflict"],
} satisfies Operation;

export const listWebhooks = {
  id: "listWebhooks",
  tag: "Webhooks",
  summary: "List webhooks, newest first",
  query: page,
  answers: { 200: json(pageOf(webhook), "A page of webhooks.") },
} satisfies Operation;

export const getWebhook = {
  id: "getWebhook",
  tag: "Webhooks",
  summary: "Read a webhook",
  answers: { 200: json(webhook, "The webhook.") },
} satisfies Operation;

export const deleteWebhook = {
  id: "deleteWebhook",
  tag: "Webhooks",
  summary: "Delete a webhook and its deliveries",
  answers: { 204: { description: "The webhook is deleted." } },
} satisfies Operation;

export const rotateWebhook = {
  id: "rotateWebhook",
  tag: "Webhooks",
  summary: "Rotate a webhook's secret",
  description: "The former secret also signs for one more day.",
  body: { ...jsonBodyOf(rotateBody, { own: { secret } }), isOptional: true },
  answers: { 200: json(disclosedWebhook, "The webhook with its new secret, which is not shown again.") },
} satisfies Operation;

export const enableWebhook = {
  id: "enableWebhook",
  tag: "Webhooks",
  summary: "Enable a disabled webhook",
  answers: { 200: json(webhook, "The webhook.") },
} satisfies Operation;

const deliveries = {
  tag: "Webhooks",
  query: page,
  answers: { 200: json(pageOf(delivery), "A page of deliveries, newest first; old deliveries are deleted.") },
} as const;
const redelivery = {
  tag: "Webhooks",
  answers: { 202: json(delivery, "The delivery will be repeated.") },
} as const;

export const listDeliveries = {
  ...deliveries,
  id: "listDeliveries",
  summary: "List a webhook's deliveries",
} satisfies Operation;

export const redeliver = {
  ...redelivery,
  id: "redeliver",
  summary: "Repeat a delivery",
  problems: ["conflict"],
} satisfies Operation;

export const listJobDeliveries = {
  ...deliveries,
  id: "listJobDeliveries",
  summary: "List the deliveries to a job's own `webhook_url`",
} satisfies Operation;

export const redeliverOfJob = {
  ...redelivery,
  id: "redeliverOfJob",
  summary: "Repeat a delivery to a job's own `webhook_url`",
} satisfies Operation;
