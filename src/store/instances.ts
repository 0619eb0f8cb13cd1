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

export async function beat(
  db: Db,
  { id, version, clockOffsetMs }: Pick<Instance, "id" | "version" | "clockOffsetMs">,
): Promise<number> {
  const { rows } = await sql<{ now: number }>`
    insert into instances (id, version, started_at, beat_at, clock_offset_ms)
    values (${id}, ${version}, ${databaseNow}, ${databaseNow}, ${clockOffsetMs})
    on conflict (id) do update set beat_at = ${databaseNow}, clock_offset_ms = ${clockOffsetMs}
    returning beat_at as now`.execute(db);
  return rows[0]?.now ?? 0;
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

/** Makes the work of silent instances due; returns their ids. */
export async function takeOverSilent(tx: Tx, silentMs: number): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from instances where beat_at < ${databaseNow} - cast(${silentMs} as bigint)
    order by id for update skip locked`.execute(tx.db);
  const ids = rows.map((row) => row.id);
  await takeOver(tx, ids);
  return ids;
}

/** Removes the instances. An execution that has a proper wake-up by now comes early, as after a restart. */
export async function takeOver(tx: Tx, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  const { db, now } = tx;
  const dead = sql.join(ids);
  for (const [table, isOpen] of [
    ["executions", sql`phase <> 'closed'`],
    ["deliveries", sql`due_at is not null`],
  ] as const) {
    const name = sql.table(table);
    await sql`
      update ${name} set due_at = least(due_at, ${now}), claimed_by = null
      where id in (select id from ${name} where claimed_by in (${dead}) and ${isOpen} order by id for update)`.execute(
      db,
    );
  }
  await leave(tx, ids);
  for (const topic of ["reconcile", "collect", "deliver"] as const) tx.wake(topic, now);
}

export async function leave({ db }: Tx, ids: string[]): Promise<void> {
  await db.deleteFrom("instances").where("id", "in", ids).execute();
  await freeRoles(db, ids);
}
