// Making, rotating and reviving webhooks, and asking for a delivery once more.
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
  /** Hears of every job rather than of its key's alone. */
  allJobs: boolean;
  url: string;
  types: string[];
  /** Null: one is made. */
  secret: string | null;
}

/** A webhook with its current secret, which is shown this once. */
export interface Disclosed {
  webhook: WebhookRow;
  secret: string;
}

/** Null when the key has as many as it may. */
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

/** Each write with events looks at all of them. */
export const MAX_WEBHOOKS = 20;

/** The former secret signs beside the new one for a day. Null when the webhook is gone. */
export async function rotateWebhook(
  { store }: Context,
  id: string,
  given: string | null,
): Promise<Disclosed | null> {
  const secret = given ?? newSecret();
  const webhook = await store.write((tx) => rotateSecret(tx.db, id, secret, tx.now));
  return webhook === null ? null : { webhook, secret };
}

/** Hears of what happens from now on; what was given up meanwhile can be asked for again. */
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
