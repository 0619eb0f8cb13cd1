// Subscriptions and their deliveries.
import { pages } from "./pages.ts";
import type { Delivery, Webhook, WebhookWithSecret } from "./service.ts";
import type { Transport } from "./transport.ts";

export interface Subscription {
  url: string;
  /** Such as `job.*` or `run.failed`. */
  types: string[];
  /** Made by the service if left out. */
  secret?: string;
}

/** What changes something twice when it is sent twice is not repeated. */
export function webhookCalls(transport: Transport) {
  const { json, none } = transport;
  return {
    /** The secret is in this answer and never again. */
    create: (subscription: Subscription) =>
      json<WebhookWithSecret>({
        method: "POST",
        path: "/v1/webhooks",
        body: subscription,
        repeatable: false,
      }),
    list: () => pages<Webhook>(transport, { path: "/v1/webhooks" }),
    get: (webhookId: string) => json<Webhook>({ path: webhook(webhookId) }),
    delete: (webhookId: string) => none({ method: "DELETE", path: webhook(webhookId), repeatable: false }),
    /** A new secret; the old one signs for another day. */
    rotate: (webhookId: string, secret?: string) =>
      json<WebhookWithSecret>({
        method: "POST",
        path: `${webhook(webhookId)}/rotate`,
        body: { secret },
        repeatable: false,
      }),
    enable: (webhookId: string) => json<Webhook>({ method: "POST", path: `${webhook(webhookId)}/enable` }),
    deliveries: (webhookId: string) =>
      pages<Delivery>(transport, { path: `${webhook(webhookId)}/deliveries` }),
    redeliver: (webhookId: string, deliveryId: string) =>
      json<Delivery>({
        method: "POST",
        path: `${webhook(webhookId)}/deliveries/${encodeURIComponent(deliveryId)}/redeliver`,
        repeatable: false,
      }),
  };
}

const webhook = (id: string) => `/v1/webhooks/${encodeURIComponent(id)}`;
