// Webhook deliveries: due rows, claims with a lease, attempts and their log.
import { type Selectable, sql, type Updateable } from "kysely";
import type { DeliveriesTable } from "./db/schema-webhooks.ts";
import { isChosen } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";
import { ofKeptJob } from "./deletions.ts";

export type DeliveryRow = Selectable<DeliveriesTable>;

export interface Attempt {
  at: number;
  durationMs: number;
  status: number | null;
  error: string | null;
}

/** One index seek for each destination queue, even if a dead endpoint has thousands of deliveries. */
const openDestinations = sql`
  recursive destinations (destination) as (
    select min(destination) from deliveries where due_at is not null
    union all
    select (select min(d.destination) from deliveries d
      where d.due_at is not null and d.destination > destinations.destination)
    from destinations where destinations.destination is not null)`;

/** Longest waiting first. */
export async function dueDestinations(db: Db, now: number): Promise<string[]> {
  const { rows } = await sql<{ destination: string }>`
    with ${openDestinations},
    fronts as (
      select destination, (select min(due_at) from deliveries d
        where d.destination = destinations.destination and due_at <= ${now}) as due_at
      from destinations where destination is not null)
    select destination from fronts where due_at is not null order by due_at, destination`.execute(db);
  return rows.map((row) => row.destination);
}

/** Deliveries that are due already wait for a free slot. */
export async function nextDeliveryAt(db: Db, now: number): Promise<number | null> {
  const { rows } = await sql<{ due_at: number | null }>`
    with ${openDestinations}
    select min((select min(due_at) from deliveries d
      where d.destination = destinations.destination and due_at > ${now})) as due_at
    from destinations`.execute(db);
  return rows[0]?.due_at ?? null;
}

export async function countOpenDeliveries(db: Db, limit: number): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from
      (select 1 as one from deliveries where due_at is not null limit ${sql.lit(limit)}) as open`.execute(db);
  return Number(rows[0]?.count ?? 0);
}

/** Longest waiting first. */
export async function dueForDestination(
  db: Db,
  destination: string,
  now: number,
  limit: number,
): Promise<string[]> {
  const rows = await db
    .selectFrom("deliveries")
    .select("id")
    .where("destination", "=", destination)
    .where("due_at", "<=", now)
    .orderBy("due_at")
    .orderBy("id")
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

export interface DueDelivery extends DeliveryRow {
  /** JSON; null for a job's own URL. */
  secrets: string | null;
  traceparent: string | null;
}

/** If this process dies, the lease expires. */
export async function claimDeliveries(
  db: Db,
  ids: string[],
  now: number,
  leaseUntil: number,
  claimedBy: string | null = null,
): Promise<DueDelivery[]> {
  const due = db.selectFrom("deliveries").select("id").where("id", "in", ids).where("due_at", "<=", now);
  const claimed = await db
    .updateTable("deliveries")
    .set({ due_at: leaseUntil, claimed_by: claimedBy })
    .where(isChosen(db, due))
    .where("due_at", "<=", now)
    .returning("id")
    .execute();
  if (claimed.length === 0) return [];
  return db
    .selectFrom("deliveries")
    .leftJoin("webhooks", "webhooks.id", "deliveries.webhook_id")
    .leftJoin("jobs", "jobs.id", "deliveries.job_id")
    .selectAll("deliveries")
    .select(["webhooks.secrets", "jobs.traceparent"])
    .where(
      "deliveries.id",
      "in",
      claimed.map((row) => row.id),
    )
    .execute();
}

export async function releaseDeliveries(db: Db, ids: string[], leases: number[], now: number): Promise<void> {
  if (ids.length === 0) return;
  await db
    .updateTable("deliveries")
    .set({ due_at: now, claimed_by: null })
    .where("id", "in", ids)
    .where("due_at", "in", leases)
    .execute();
}

export async function findDelivery(db: Db, id: string): Promise<DeliveryRow | null> {
  const row = await db.selectFrom("deliveries").selectAll().where("id", "=", id).executeTakeFirst();
  return row ?? null;
}

/** The delivery is not claimed any more. */
export async function saveDelivery(db: Db, id: string, change: Updateable<DeliveriesTable>): Promise<void> {
  await db
    .updateTable("deliveries")
    .set({ ...change, claimed_by: null })
    .where("id", "=", id)
    .execute();
}

/** With a fresh number of attempts. The log stays. */
export async function redeliver(db: Db, id: string, now: number): Promise<DeliveryRow | null> {
  const query = db
    .updateTable("deliveries")
    .set({ state: "pending", reason: null, due_at: now, attempts: 0, first_tried_at: null, ended_at: null })
    .where("id", "=", id)
    .returningAll();
  return (await query.executeTakeFirst()) ?? null;
}

/** Newest first, before the given id. */
export async function listDeliveries(
  db: Db,
  target: { webhookId: string } | { jobId: string },
  before: string | undefined,
  limit: number,
): Promise<DeliveryRow[]> {
  let query = db.selectFrom("deliveries").selectAll();
  if ("webhookId" in target) query = query.where("webhook_id", "=", target.webhookId);
  else query = query.where("job_id", "=", target.jobId).where("webhook_id", "is", null);
  // With a deleted job go its deliveries, but those that are still to be sent.
  query = query.where((eb) => eb.or([eb("due_at", "is not", null), ofKeptJob(sql`deliveries.job_id`)]));
  if (before !== undefined) query = query.where("id", "<", before);
  return query.orderBy("id", "desc").limit(limit).execute();
}

export async function deleteDeliveries(db: Db, endedBefore: number, limit: number): Promise<number> {
  const ended = db
    .selectFrom("deliveries")
    .select("id")
    .where("ended_at", "<", endedBefore)
    .orderBy("ended_at")
    .limit(limit);
  const { numDeletedRows } = await db.deleteFrom("deliveries").where("id", "in", ended).executeTakeFirst();
  return Number(numDeletedRows);
}

export function readLog(json: string): Attempt[] {
  return JSON.parse(json);
}
