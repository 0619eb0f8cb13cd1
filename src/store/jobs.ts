// Jobs: insert, read, and the counts and readiness that every change of a run keeps true.
import { type Insertable, type Selectable, sql } from "kysely";
import { type Counts, type JobStatus, jobStatus } from "../domain/job.ts";
import type { Cancellation, CancelMode, RunStatus } from "../domain/run.ts";
import { nextTicks } from "./counters.ts";
import type { JobsTable } from "./schema.ts";
import { Conflict, type Db } from "./transaction.ts";

export type JobRow = Selectable<JobsTable>;

export async function insertJob(db: Db, job: Insertable<JobsTable>): Promise<void> {
  await db
    .insertInto("api_keys")
    .values({ name: job.api_key, served: 0 })
    .onConflict((c) => c.doNothing())
    .execute();
  await db.insertInto("jobs").values(job).execute();
}

/** @param owner a key's name to see only its jobs; null sees all. */
export async function findJob(db: Db, id: string, owner: string | null): Promise<JobRow | null> {
  const row = await db.selectFrom("jobs").selectAll().where("id", "=", id).executeTakeFirst();
  return row === undefined || (owner !== null && row.api_key !== owner) ? null : row;
}

export interface JobFilter {
  owner: string | null;
  status?: JobStatus | undefined;
  name?: string | undefined;
  createdAfter?: number | undefined;
  createdBefore?: number | undefined;
  /** Newest first; those before this id. */
  before?: string | undefined;
}

export async function listJobs(db: Db, filter: JobFilter, limit: number): Promise<JobRow[]> {
  let query = db.selectFrom("jobs").selectAll();
  if (filter.owner !== null) query = query.where("api_key", "=", filter.owner);
  if (filter.status !== undefined) query = query.where("status", "=", filter.status);
  if (filter.name !== undefined) query = query.where("name", "=", filter.name);
  if (filter.createdAfter !== undefined) query = query.where("created_at", ">", filter.createdAfter);
  if (filter.createdBefore !== undefined) query = query.where("created_at", "<", filter.createdBefore);
  if (filter.before !== undefined) query = query.where("id", "<", filter.before);
  return query.orderBy("id", "desc").limit(limit).execute();
}

export interface JobChange {
  job: JobRow;
  /** The job's new status, if it changed. */
  entered: JobStatus | null;
}

/** A run moved: counts, readiness and, where it follows, the job's status move with it. */
export async function moveRun(
  db: Db,
  jobId: string,
  from: RunStatus,
  to: RunStatus,
  now: number,
): Promise<JobChange> {
  const shifted = (status: RunStatus) =>
    sql<number>`${sql.ref(status)} + ${(status === to ? 1 : 0) - (status === from ? 1 : 0)}`;
  const counted = await db
    .updateTable("jobs")
    .set({
      queued: shifted("queued"),
      active: shifted("active"),
      collecting: shifted("collecting"),
      succeeded: shifted("succeeded"),
      failed: shifted("failed"),
      cancelled: shifted("cancelled"),
    })
    .where("id", "=", jobId)
    .returningAll()
    .executeTakeFirstOrThrow();
  const status = counted.ended_at === null ? jobStatus(countsOf(counted), counted.status) : counted.status;
  const isOver = status !== "queued" && status !== "active";
  // A statement of its own: PostgreSQL now holds the job's lock, so that the runs it sees are those of all
  // transactions before this one, and readiness cannot be computed from a past that has gone.
  const job = await db
    .updateTable("jobs")
    .set({
      ready_at: readyAt,
      status,
      started_at: counted.started_at ?? (status === "active" ? now : null),
      ended_at: counted.ended_at ?? (isOver ? now : null),
      due_at: isOver ? null : counted.due_at,
    })
    .where("id", "=", jobId)
    .returningAll()
    .executeTakeFirstOrThrow();
  return { job, entered: status === counted.status ? null : status };
}

/**
 * Room for one more queued run, in a job of any status: a terminal job keeps its status, and what ended its first
 * runs (a cancellation, a deadline) does not concern the new one. Answers the new run's position; null while the
 * job is being cancelled. Once the run is there, `refreshReadiness` is due.
 */
export async function addRun(db: Db, jobId: string): Promise<number | null> {
  const job = await db
    .updateTable("jobs")
    .set((eb) => ({
      total: eb("total", "+", 1),
      queued: eb("queued", "+", 1),
      cancel_mode: null,
      cancel_cause: null,
    }))
    .where("id", "=", jobId)
    .where((eb) => eb.or([eb("cancel_mode", "is", null), eb("ended_at", "is not", null)]))
    .where("budget_reached_at", "is", null)
    .where("erase_at", "is", null)
    .returning("total")
    .executeTakeFirst();
  return job === undefined ? null : job.total - 1;
}

export async function refreshReadiness(db: Db, jobId: string): Promise<void> {
  await db.updateTable("jobs").set({ ready_at: readyAt }).where("id", "=", jobId).execute();
}

/**
 * Marks the job as to be cancelled: nothing of it starts any more, and `steer` spreads it over the runs. A second
 * cancellation only ever hardens the first. Null when the job is terminal: nothing was marked.
 */
export async function markCancelled(
  db: Db,
  jobId: string,
  { mode, cause }: Cancellation,
  now: number,
): Promise<JobRow | null> {
  const job = await db
    .updateTable("jobs")
    .set((eb) => ({
      cancel_mode: sql<CancelMode>`case when cancel_mode = 'abort' then 'abort' else ${mode} end`,
      cancel_cause: eb.fn.coalesce("cancel_cause", eb.val(cause)),
      due_at: now,
      ready_at: null,
    }))
    .where("id", "=", jobId)
    .where("ended_at", "is", null)
    .returningAll()
    .executeTakeFirst();
  return job ?? null;
}

/** Deletes a job with all that belongs to it, if all of its runs have ended. */
export async function deleteJob(db: Db, jobId: string): Promise<boolean> {
  const result = await db
    .deleteFrom("jobs")
    .where("id", "=", jobId)
    .where("ended_at", "is not", null)
    .where(sql<boolean>`queued + active + collecting = 0`)
    .executeTakeFirst();
  if (result.numDeletedRows === 0n) return false;
  await db.deleteFrom("events").where("job_id", "=", jobId).execute();
  // What is still to be told is told all the same.
  await db.deleteFrom("deliveries").where("job_id", "=", jobId).where("due_at", "is", null).execute();
  return true;
}

/** Jobs that ended before then and have nothing under way. */
export async function jobsEndedBefore(db: Db, endedBefore: number, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom("jobs")
    .select("id")
    .where("ended_at", "<", endedBefore)
    .where("erase_at", "is", null)
    .where(sql<boolean>`queued + active + collecting = 0`)
    .orderBy("ended_at")
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

export async function jobsDue(db: Db, now: number, limit: number): Promise<JobRow[]> {
  return db
    .selectFrom("jobs")
    .selectAll()
    .where("due_at", "<=", now)
    .orderBy("due_at")
    .limit(limit)
    .execute();
}

export async function setJobDue(db: Db, jobId: string, dueAt: number | null): Promise<void> {
  await db.updateTable("jobs").set({ due_at: dueAt }).where("id", "=", jobId).execute();
}

/** Nothing but its deadline is still to be waited for. */
export async function awaitDeadline(db: Db, jobId: string): Promise<void> {
  await db
    .updateTable("jobs")
    .set({ due_at: sql<number | null>`case when ended_at is null then deadline_at end` })
    .where("id", "=", jobId)
    .where("cancel_mode", "is", null)
    .execute();
}

export async function nextJobDueAt(db: Db): Promise<number | null> {
  const query = db.selectFrom("jobs").select("due_at").where("due_at", "is not", null);
  const row = await query.orderBy("due_at").limit(1).executeTakeFirst();
  return row?.due_at ?? null;
}

export type Turn = Pick<JobRow, "id" | "api_key" | "served">;

/**
 * Whose turn it is: the highest priority first, then the key, then the job that was served longest ago.
 * One index seek per API key, whatever the number of jobs. A key whose budget is used up is passed over.
 */
export async function nextReadyJob(db: Db, now: number): Promise<Turn | null> {
  const { rows } = await sql<Turn>`
    select j.id, j.api_key, j.served from api_keys k join jobs j on j.id = (
      select id from jobs where api_key = k.name and ready_at is not null and ready_at <= ${now}
      order by priority desc, served, id limit 1)
    where k.held_until is null or k.held_until <= ${now}
    order by j.priority desc, k.served, j.served, j.id limit 1`.execute(db);
  return rows[0] ?? null;
}

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
  const result = await db
    .updateTable("jobs")
    .set({ served: tick })
    .where("id", "=", job.id)
    .where("served", "=", job.served)
    .where("ready_at", "is not", null)
    .executeTakeFirst();
  if (result.numUpdatedRows === 0n) throw new Conflict(`the turn of job ${job.id} is over`);
  const key = await db
    .updateTable("api_keys")
    .set({ served: tick })
    .where("name", "=", job.api_key)
    .where((eb) => eb.or([eb("held_until", "is", null), eb("held_until", "<=", now)]))
    .executeTakeFirst();
  if (key.numUpdatedRows === 0n) throw new Conflict(`the budget of ${job.api_key} is used up`);
}

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

export function countsOf(job: JobRow): Counts {
  const { queued, active, collecting, succeeded, failed, cancelled } = job;
  return { queued, active, collecting, succeeded, failed, cancelled };
}

/** When dispatch may start something here: null while cancelled, over its budget or at `max_parallel`. */
const readyAt = sql<number | null>`case
  when cancel_mode is null and budget_reached_at is null and (max_parallel is null or active < max_parallel)
  then (select min(due_at) from runs where job_id = jobs.id and status = 'queued') end`;
