// The instances on one PostgreSQL: their heartbeats, and the work of dead ones. All times are the database's own.
import { sql } from "kysely";
import type { Db, Tx } from "./db/transaction.ts";
import { freeRoles } from "./roles.ts";

export interface Instance {
  id: string;
  version: string;
  startedAt: number;
  beatAt: number;
  clockOffsetMs: number;
}

const databaseNow = sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

/** `others` counts the instances beside this one. */
export async function beat(
  db: Db,
  { id, version, clockOffsetMs }: Pick<Instance, "id" | "version" | "clockOffsetMs">,
): Promise<{ now: number; others: number }> {
  const { rows } = await sql<{ now: number; others: number }>`
    insert into instances (id, version, started_at, beat_at, clock_offset_ms)
    values (${id}, ${version}, ${databaseNow}, ${databaseNow}, ${clockOffsetMs})
    on conflict (id) do update set beat_at = ${databaseNow}, clock_offset_ms = ${clockOffsetMs}
    returning beat_at as now, (select count(*) from instances as other where other.id <> ${id}) as others`.execute(
    db,
  );
  return { now: rows[0]?.now ?? 0, others: Number(rows[0]?.others ?? 0) };
}

export async function listInstances(db: Db): Promise<Instance[]> {
  const rows = await db.selectFrom("instances").selectAll().orderBy("started_at").orderBy("id").execute();
  return rows.map((row) => ({
    id: row.id,
    version: row.version,
    startedAt: row.started_at,
    beatAt: row.beat_at,
    clockOffsetMs: row.clock_offset_ms,
  }));
}

/** Removes silent instances and makes due what they had claimed; returns their ids. */
export async function takeOverSilent(tx: Tx, silentMs: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from instances where beat_at < ${databaseNow} - cast(${silentMs} as bigint)
    order by id for update skip locked`.execute(tx.db);
  const ids = rows.map((row) => row.id);
  await remove(tx.db, ids);
  await releaseUnheld(tx);
  return ids;
}

/** @param isIdle false: the instance may still have claims, which are due at once */
export async function leave(tx: Tx, id: string, isIdle: boolean): Promise<void> {
  await remove(tx.db, [id]);
  if (isIdle) await disown(tx.db, id);
  else await releaseUnheld(tx);
}

async function remove(db: Db, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await db.deleteFrom("instances").where("id", "in", ids).execute();
  await freeRoles(db, ids);
}

/**
 * Makes due what was claimed by no known instance. An instance that stood still may claim after its removal and die
 * before its next heartbeat. An execution that has a proper wake-up by now comes early, as after a restart.
 */
async function releaseUnheld({ db, now, wake }: Tx): Promise<void> {
  for (const { table, isOpen, topic } of claimable) {
    const { numAffectedRows } = await sql`
      update ${table} set due_at = least(due_at, ${now}), claimed_by = null where id in (
        select id from ${table}
        where ${isOpen} and claimed_by is not null and claimed_by not in (select id from instances)
        order by id for update skip locked)`.execute(db);
    if (numAffectedRows !== undefined && numAffectedRows > 0n) wake(topic, now);
  }
}

/** The wake-ups of an instance without claims stay as they are. */
async function disown(db: Db, id: string): Promise<void> {
  for (const { table, isOpen } of claimable)
    await sql`update ${table} set claimed_by = null where ${isOpen} and claimed_by = ${id}`.execute(db);
}

// Conditions of partial indexes.
const claimable = [
  {
    table: sql.table("executions"),
    isOpen: sql`phase in ('submitting', 'watching', 'orphan')`,
    topic: "reconcile",
  },
  { table: sql.table("executions"), isOpen: sql`phase = 'collecting'`, topic: "collect" },
  { table: sql.table("deliveries"), isOpen: sql`due_at is not null`, topic: "deliver" },
] as const;
