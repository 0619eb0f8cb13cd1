// Jobs: insert, find, list, cancel, delete, and what is due of them.
import { type Insertable, type Selectable, sql } from "kysely";
import type { JobStatus } from "../domain/job.ts";
import type { Cancellation, CancelMode } from "../domain/run.ts";
import type { JobsTable } from "./db/schema.ts";
import { insertRows, isSqlite, statementOn } from "./db/statements.ts";
import { Conflict, type Db } from "./db/transaction.ts";
import { rememberKey } from "./deleted-keys.ts";

export type JobRow = Selectable<JobsTable>;

/** @throws Conflict when another transaction used an idempotency key meanwhile: tried again, its job is found. */
export async function insertJobs(db: Db, jobs: Insertable<JobsTable>[]): Promise<void> {
  const names = new Set(jobs.map((job) => job.api_key));
  await insertRows(
    db,
    "api_keys",
    [...names].map((name) => ({ name, served: 0 })),
    "skip",
  );
  const inserted = await insertRows(db, "jobs", jobs, "skip");
  if (inserted < jobs.length) throw new Conflict("an idempotency key was just used");
}

/** The jobs that were submitted with these keys. */
export const findJobsByIdempotency = statementOn<readonly [apiKey: string, key: string], JobRow>(
  (db, keys) => {
    const query = sql<JobRow>`select * from jobs where idempotency_key is not null
      and (api_key, idempotency_key) in (values ${sql.join(
        keys.map(([apiKey, key]) => sql`(${apiKey}, ${key})`),
      )})`;
    return { compile: () => query.compile(db) };
  },
);

export async function findJob(db: Db, id: string): Promise<JobRow | null> {
  return (await findJobs(db, [id]))[0] ?? null;
}

/** One answer for each id, in their order. */
export async function findJobs(db: Db, ids: string[]): Promise<(JobRow | null)[]> {
  const rows = await selectJobs(db, [...new Set(ids)]);
  const known = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => known.get(id) ?? null);
}

const selectJobs = statementOn<string, JobRow>((db, ids) =>
  db.selectFrom("jobs").selectAll().where("id", "in", ids),
);

/** On PostgreSQL takes their locks, in the one order that everybody keeps; SQLite has one writer at a time. */
export async function lockJobs(db: Db, ids: readonly string[]): Promise<void> {
  if (ids.length > 1 && !isSqlite(db)) await lock(db, ids);
}

const lock = statementOn<string, { id: string }>((db, ids) =>
  db.selectFrom("jobs").select("id").where("id", "in", ids).orderBy(sql`id collate "C"`).forUpdate(),
);

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

/** The job has ended, and no run of it is under way (again). */
export const isFinished = sql<boolean>`(ended_at is not null and queued + active + collecting = 0)`;

/** Every run of the job has its outcome: there is nothing to cancel. */
const isDecided = sql<boolean>`(queued + active = 0)`;

/**
 * Marks the job as to be cancelled: nothing of it starts any more, and `steer` spreads it over the runs. A second
 * cancellation only ever hardens the first. Null when every run has its outcome: nothing was marked.
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
    .where(({ not }) => not(isDecided))
    .returningAll()
    .executeTakeFirst();
  return job ?? null;
}

/** With it would go the knowledge of an execution that may still cost money: a lost one is watched for. */
const hasOpenExecutions = sql<boolean>`exists (select 1 from runs join executions on executions.run_id = runs.id
  where runs.job_id = jobs.id and executions.phase <> 'closed')`;

/**
 * Deletes a job with all that belongs to it, unless something of it is under way or watched for.
 * @param keyRememberedAt null: retention deletes it, and its idempotency key is as old as the job
 */
export async function deleteJob(
  db: Db,
  jobId: string,
  keyRememberedAt: number | null = null,
): Promise<boolean> {
  const deleted = await db
    .deleteFrom("jobs")
    .where("id", "=", jobId)
    .where(isFinished)
    .where(({ not }) => not(hasOpenExecutions))
    .returning(["api_key", "idempotency_key"])
    .executeTakeFirst();
  if (deleted === undefined) return false;
  if (keyRememberedAt !== null && deleted.idempotency_key !== null)
    await rememberKey(db, deleted.api_key, deleted.idempotency_key, keyRememberedAt);
  await db.deleteFrom("events").where("job_id", "=", jobId).execute();
  // What is still to be told is told all the same.
  await db.deleteFrom("deliveries").where("job_id", "=", jobId).where("due_at", "is", null).execute();
  return true;
}

/** Jobs of which all runs ended before then, retried ones included, and that may be deleted. */
export async function jobsEndedBefore(db: Db, endedBefore: number, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom("jobs")
    .select("id")
    .where("ended_at", "<", endedBefore)
    .where("erase_at", "is", null)
    .where(isFinished)
    .where(({ not }) => not(hasOpenExecutions))
    .where(
      sql<boolean>`not exists (select 1 from runs where job_id = jobs.id and runs.ended_at >= ${endedBefore})`,
    )
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

/** The job is due at its deadline, or never again. A cancellation that still has runs to reach keeps its wake-up. */
export async function resetDueToDeadline(db: Db, jobId: string, now: number): Promise<void> {
  const isAwaited = sql`ended_at is null and cancel_mode is null and deadline_at > ${now}`;
  await db
    .updateTable("jobs")
    .set({ due_at: sql<number | null>`case when ${isAwaited} then deadline_at end` })
    .where("id", "=", jobId)
    .where((eb) => eb.or([eb("cancel_mode", "is", null), eb("ended_at", "is not", null), isDecided]))
    .execute();
}

export async function nextJobDueAt(db: Db): Promise<number | null> {
  const query = db.selectFrom("jobs").select("due_at").where("due_at", "is not", null);
  const row = await query.orderBy("due_at").limit(1).executeTakeFirst();
  return row?.due_at ?? null;
}
