// What is published of the routes about webhooks and deliveries, and of the requests that subscribers get.
import { delivery } from "../delivery.ts";
import { pageOf } from "../field.ts";
import { json, jsonBodyOf, type Operation } from "../operation.ts";
import { page } from "../query.ts";
import { disclosedWebhook, rotateBody, webhook, webhookBody } from "../webhook.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

export const createWebhook: Operation = {
  id: "createWebhook",
  tag: "Webhooks",
  summary: "Subscribe to events",
  description:
    "A submitter's webhook hears of its own key's jobs, an administrator's of all. Its URL leads to a public address. A key has at most 20.",
  body: jsonBodyOf(webhookBody, { ends: { url: "https://worker.example.com/hook", types: ["job.*"] } }),
  answers: {
    201: json(disclosedWebhook, "The webhook, with its secret this once.", {
      Location: "The webhook's path.",
    }),
  },
  problems: ["conflict"],
};

export const listWebhooks: Operation = {
  id: "listWebhooks",
  tag: "Webhooks",
  summary: "List webhooks, newest first",
  query: page,
  answers: { 200: json(pageOf(webhook), "A page of webhooks.") },
};

export const getWebhook: Operation = {
  id: "getWebhook",
  tag: "Webhooks",
  summary: "Read a webhook",
  answers: { 200: json(webhook, "The webhook.") },
};

export const deleteWebhook: Operation = {
  id: "deleteWebhook",
  tag: "Webhooks",
  summary: "Delete a webhook and its deliveries",
  answers: { 204: { description: "It is gone." } },
};

export const rotateWebhook: Operation = {
  id: "rotateWebhook",
  tag: "Webhooks",
  summary: "Give a webhook a new secret",
  description: "The former one signs beside it for another day.",
  body: { ...jsonBodyOf(rotateBody, { own: { secret } }), isOptional: true },
  answers: { 200: json(disclosedWebhook, "The webhook, with its new secret this once.") },
};

export const enableWebhook: Operation = {
  id: "enableWebhook",
  tag: "Webhooks",
  summary: "Enable a disabled webhook",
  answers: { 200: json(webhook, "The webhook.") },
};

const deliveries = {
  tag: "Webhooks",
  query: page,
  answers: { 200: json(pageOf(delivery), "A page of deliveries, newest first; old ones are not kept.") },
} as const;
const again = { tag: "Webhooks", answers: { 202: json(delivery, "It is sent once more.") } } as const;

export const listDeliveries: Operation = {
  ...deliveries,
  id: "listDeliveries",
  summary: "List a webhook's deliveries",
};

export const redeliver: Operation = {
  ...again,
  id: "redeliver",
  summary: "Send a delivery once more",
  problems: ["conflict"],
};

export const listJobDeliveries: Operation = {
  ...deliveries,
  id: "listJobDeliveries",
  summary: "List the deliveries to a job's own `webhook_url`",
};

export const redeliverOfJob: Operation = {
  ...again,
  id: "redeliverOfJob",
  summary: "Send a delivery to a job's own `webhook_url` once more",
};
