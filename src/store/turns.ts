// Whose turn it is to start a run: priority, then round-robin over API keys, then over their jobs.
import { sql } from "kysely";
import { nextTicks } from "./counters.ts";
import type { JobRow } from "./jobs.ts";
import { statement } from "./statements.ts";
import { Conflict, type Db } from "./transaction.ts";

export type Turn = Pick<JobRow, "id" | "api_key" | "served">;

/**
 * Whose turn it is: the highest priority first, then the key, then the job that was served longest ago.
 * One index seek per API key, whatever the number of jobs. A key whose budget is used up is passed over.
 */
export async function nextReadyJob(db: Db, now: number): Promise<Turn | null> {
  return (await selectTurn(db, { now })).rows[0] ?? null;
}

const selectTurn = statement<{ now: number }, Turn>((db, { now }) => ({
  compile: () =>
    sql<Turn>`
    select j.id, j.api_key, j.served from api_keys k join jobs j on j.id = (
      select id from jobs where api_key = k.name and ready_at is not null and ready_at <= ${now}
      order by priority desc, served, id limit 1)
    where k.held_until is null or k.held_until <= ${now}
    order by j.priority desc, k.served, j.served, j.id limit 1`.compile(db),
}));

/**
 * The place in the queue of a job's next run, 1 for the very next: all runs of a higher priority stand before it,
 * and of its own priority one run of each key and of each job of its key whose turn comes first.
 */
export async function queuePosition(db: Db, job: JobRow): Promise<number> {
  const higher = await sql<{ count: number | null }>`
    select sum(queued) as count from jobs where ready_at is not null and priority > ${job.priority}`.execute(
    db,
  );
  const peers = await sql<{ api_key: string; served: number; before: number }>`
    select j.api_key, k.served,
      sum(case when j.served < ${job.served} or (j.served = ${job.served} and j.id < ${job.id}) then 1 else 0 end) as before
    from jobs j join api_keys k on k.name = j.api_key
    where j.ready_at is not null and j.priority = ${job.priority}
    group by j.api_key, k.served`.execute(db);
  const own = peers.rows.find((row) => row.api_key === job.api_key);
  const others = peers.rows.filter((row) => row.api_key !== job.api_key);
  const rounds = Number(own?.before ?? 0);
  const keysFirst = others.filter((row) => Number(row.served) < Number(own?.served ?? 0)).length;
  return Number(higher.rows[0]?.count ?? 0) + rounds * (others.length + 1) + keysFirst + 1;
}

/**
 * The key and the job go to the end of the round. Locks the job.
 * @throws Conflict when somebody else took this turn meanwhile, or the job is not ready any more.
 */
export async function markServed(db: Db, job: Turn, now: number): Promise<void> {
  const tick = await nextTicks(db, "dispatch.tick", 1);
  const served = await serveJob(db, { id: job.id, before: job.served, tick });
  if (served.numAffectedRows === 0n) throw new Conflict(`the turn of job ${job.id} is over`);
  const key = await serveKey(db, { name: job.api_key, tick, now });
  if (key.numAffectedRows === 0n) throw new Conflict(`the budget of ${job.api_key} is used up`);
}

const serveJob = statement<{ id: string; before: number; tick: number }, never>((db, { id, before, tick }) =>
  db
    .updateTable("jobs")
    .set({ served: tick })
    .where("id", "=", id)
    .where("served", "=", before)
    .where("ready_at", "is not", sql.lit(null)),
);

const serveKey = statement<{ name: string; tick: number; now: number }, never>((db, { name, tick, now }) =>
  db
    .updateTable("api_keys")
    .set({ served: tick })
    .where("name", "=", name)
    .where((eb) => eb.or([eb("held_until", "is", sql.lit(null)), eb("held_until", "<=", now)])),
);

/** The earliest moment at which some job has a run to start and its key may pay for it, or null. */
export async function nextReadyAt(db: Db): Promise<number | null> {
  const { rows } = await sql<{ at: number | null }>`
    select min(case when k.held_until > j.ready_at then k.held_until else j.ready_at end) as at
    from api_keys k join jobs j on j.api_key = k.name where j.ready_at is not null`.execute(db);
  return rows[0]?.at ?? null;
}

/** Until when the budget of this key is used up, or null. */
export async function heldUntil(db: Db, apiKey: string): Promise<number | null> {
  const query = db.selectFrom("api_keys").select("held_until").where("name", "=", apiKey);
  return (await query.executeTakeFirst())?.held_until ?? null;
}
