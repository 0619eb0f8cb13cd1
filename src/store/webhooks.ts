// Webhooks: the subscriptions of API keys to event types.
import type { Insertable, Selectable } from "kysely";
import { rotate, type Secret } from "../domain/webhook.ts";
import type { WebhooksTable } from "./db/schema-webhooks.ts";
import type { Db } from "./db/transaction.ts";

export type WebhookRow = Selectable<WebhooksTable>;

export async function insertWebhook(db: Db, webhook: Insertable<WebhooksTable>): Promise<WebhookRow> {
  return db.insertInto("webhooks").values(webhook).returningAll().executeTakeFirstOrThrow();
}

/** @param owner key that must own the webhook; null: any */
export async function findWebhook(db: Db, id: string, owner: string | null): Promise<WebhookRow | null> {
  const row = await db.selectFrom("webhooks").selectAll().where("id", "=", id).executeTakeFirst();
  return row === undefined || (owner !== null && row.api_key !== owner) ? null : row;
}

export async function listWebhooks(
  db: Db,
  { owner, before }: { owner: string | null; before: string | undefined },
  limit: number,
): Promise<WebhookRow[]> {
  let query = db.selectFrom("webhooks").selectAll();
  if (owner !== null) query = query.where("api_key", "=", owner);
  if (before !== undefined) query = query.where("id", "<", before);
  return query.orderBy("id", "desc").limit(limit).execute();
}

export async function countWebhooks(db: Db, apiKey: string): Promise<number> {
  const query = db.selectFrom("webhooks").select((eb) => eb.fn.countAll<number>().as("count"));
  const row = await query.where("api_key", "=", apiKey).executeTakeFirstOrThrow();
  return Number(row.count);
}

export async function enabledWebhooks(db: Db): Promise<WebhookRow[]> {
  return db.selectFrom("webhooks").selectAll().where("disabled_at", "is", null).orderBy("id").execute();
}

export async function deleteWebhook(db: Db, id: string): Promise<void> {
  await db.deleteFrom("webhooks").where("id", "=", id).execute();
}

export async function rotateSecret(
  db: Db,
  id: string,
  secret: string,
  now: number,
): Promise<WebhookRow | null> {
  // Reads under the row's lock, so that the second of two rotations keeps the secret of the first.
  const row = await db
    .updateTable("webhooks")
    .set(({ ref }) => ({ secrets: ref("secrets") }))
    .where("id", "=", id)
    .returning("secrets")
    .executeTakeFirst();
  if (row === undefined) return null;
  const secrets = JSON.stringify(rotate(readSecrets(row.secrets), secret, now));
  const query = db.updateTable("webhooks").set({ secrets }).where("id", "=", id).returningAll();
  return (await query.executeTakeFirst()) ?? null;
}

/** A key that is no administrator any more loses its webhooks for all jobs. Returns their ids. */
export async function demoteWebhooks(db: Db, administrators: readonly string[]): Promise<string[]> {
  let query = db.updateTable("webhooks").set({ all_jobs: 0 }).where("all_jobs", "=", 1);
  if (administrators.length > 0) query = query.where("api_key", "not in", administrators);
  return (await query.returning("id").execute()).map(({ id }) => id);
}

export async function enableWebhook(db: Db, id: string): Promise<WebhookRow | null> {
  const query = db
    .updateTable("webhooks")
    .set({ failing_since: null, disabled_at: null, disabled_reason: null })
    .where("id", "=", id)
    .returningAll();
  return (await query.executeTakeFirst()) ?? null;
}

/** Fails the pending deliveries, too. Null if it was disabled already or does not exist. */
export async function disableWebhook(
  db: Db,
  id: string,
  reason: NonNullable<WebhookRow["disabled_reason"]>,
  now: number,
): Promise<WebhookRow | null> {
  const webhook = await db
    .updateTable("webhooks")
    .set({ disabled_at: now, disabled_reason: reason })
    .where("id", "=", id)
    .where("disabled_at", "is", null)
    .returningAll()
    .executeTakeFirst();
  if (webhook === undefined) return null;
  await db
    .updateTable("deliveries")
    .set({ state: "failed", reason: "webhook_disabled", due_at: null, ended_at: now })
    .where("webhook_id", "=", id)
    .where("due_at", "is not", null)
    .execute();
  return webhook;
}

export async function markArrived(db: Db, id: string): Promise<void> {
  await db
    .updateTable("webhooks")
    .set({ failing_since: null })
    .where("id", "=", id)
    .where("failing_since", "is not", null)
    .execute();
}

export interface Failing {
  /** Every attempt since then has failed. */
  failingSince: number;
  isDisabled: boolean;
}

export async function markFailing(db: Db, id: string, at: number): Promise<Failing> {
  const row = await db
    .updateTable("webhooks")
    .set((eb) => ({ failing_since: eb.fn.coalesce("failing_since", eb.val(at)) }))
    .where("id", "=", id)
    .returning(["failing_since", "disabled_at"])
    .executeTakeFirst();
  return { failingSince: row?.failing_since ?? at, isDisabled: row?.disabled_at != null };
}

export function readSecrets(json: string): Secret[] {
  return JSON.parse(json);
}
