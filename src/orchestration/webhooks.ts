// Creates, rotates and revives webhooks, and redelivers.
import { randomBytes } from "node:crypto";
import { redeliver } from "../store/deliveries.ts";
import {
  countWebhooks,
  enableWebhook,
  insertWebhook,
  rotateSecret,
  type WebhookRow,
} from "../store/webhooks.ts";
import type { Context } from "./context.ts";

export interface NewWebhook {
  apiKey: string;
  allJobs: boolean;
  url: string;
  types: string[];
  secret: string | null;
}

export interface Disclosed {
  webhook: WebhookRow;
  secret: string;
}

/** Null if the key has `MAX_WEBHOOKS` webhooks. */
export async function createWebhook(context: Context, wanted: NewWebhook): Promise<Disclosed | null> {
  const secret = wanted.secret ?? newSecret();
  const webhook = await context.store.write(async (tx) => {
    if ((await countWebhooks(tx.db, wanted.apiKey)) >= MAX_WEBHOOKS) return null;
    return insertWebhook(tx.db, {
      id: tx.newId("whk"),
      api_key: wanted.apiKey,
      all_jobs: wanted.allJobs ? 1 : 0,
      url: wanted.url,
      types: JSON.stringify([...new Set(wanted.types)]),
      secrets: JSON.stringify([{ secret, until: null }]),
      created_at: tx.now,
    });
  });
  return webhook === null ? null : { webhook, secret };
}

/** Per key, because each write with events reads all webhooks. */
export const MAX_WEBHOOKS = 20;

/** The former secret also signs for one more day. Null if the webhook does not exist. */
export async function rotateWebhook(
  { store }: Context,
  id: string,
  given: string | null,
): Promise<Disclosed | null> {
  const secret = given ?? newSecret();
  const webhook = await store.write((tx) => rotateSecret(tx.db, id, secret, tx.now));
  return webhook === null ? null : { webhook, secret };
}

/** For future events. Failed deliveries can be redelivered. */
export async function reviveWebhook({ store }: Context, id: string): Promise<WebhookRow | null> {
  return store.write((tx) => enableWebhook(tx.db, id));
}

export async function deliverAgain({ store }: Context, id: string) {
  return store.write(async (tx) => {
    tx.wake("deliver", tx.now);
    return redeliver(tx.db, id, tx.now);
  });
}

function newSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}
