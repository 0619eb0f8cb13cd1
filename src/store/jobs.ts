// Jobs: inserted, found, cancelled, due.
import { type Insertable, type Selectable, type SelectQueryBuilder, sql } from "kysely";
import type { Cancellation, CancelMode } from "../domain/run.ts";
import { insertRows } from "./db/rows.ts";
import type { JobsTable, Schema } from "./db/schema.ts";
import { statementForRows } from "./db/statements.ts";
import { Conflict, type Db } from "./db/transaction.ts";
import { isKept } from "./deletions.ts";

export type JobRow = Selectable<JobsTable>;

/** After `joinQueue`. @throws Conflict when another transaction just used an idempotency key: a retry finds its job. */
export async function insertJobs(db: Db, jobs: Insertable<JobsTable>[]): Promise<void> {
  const inserted = await insertRows(db, "jobs", jobs, "skip");
  if (inserted < jobs.length) throw new Conflict("an idempotency key was just used");
}

export async function findJob(db: Db, id: string): Promise<JobRow | null> {
  return (await findJobs(db, [id]))[0] ?? null;
}

/** Returns one job or null per id, in their order. Deleted jobs are not found. */
export async function findJobs(db: Db, ids: string[]): Promise<(JobRow | null)[]> {
  const rows = await selectJobs(db, [...new Set(ids)]);
  const known = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => known.get(id) ?? null);
}

const selectJobs = statementForRows<string, JobRow>((db, ids) =>
  db.selectFrom("jobs").selectAll().where("id", "in", ids).where(isKept),
);

/** On PostgreSQL: locked in one fixed order, which prevents deadlocks. SQLite has one writer at a time. */
export function lockedInOrder<Row>(query: SelectQueryBuilder<Schema, "jobs", Row>) {
  return query.orderBy(sql`id collate "C"`).forUpdate();
}

const isDecided = sql<boolean>`(queued + active = 0)`;

/**
 * Nothing more starts, and `enforceLimits` cancels the runs. A second request may turn a stop into an abort, never
 * back. Returns null if every run has its outcome.
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

/** A cancellation that has not reached all runs keeps its wake-up. */
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

/** Null also for a job that does not exist. */
export async function traceparentOf(db: Db, id: string): Promise<string | null> {
  const row = await db.selectFrom("jobs").select("traceparent").where("id", "=", id).executeTakeFirst();
  return row?.traceparent ?? null;
}
