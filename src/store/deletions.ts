// Deleted jobs. A deletion marks the job, which hides all of it at once; its rows are removed in slices, the job's own
// row last. A crash in between leaves a marked job, whose removal goes on.
import { type RawBuilder, sql } from "kysely";
import type { Db } from "./db/transaction.ts";
import { insertDeletedKey } from "./idempotency-keys.ts";
import { keepStarts } from "./places.ts";

/** True for a row of `jobs` that is not deleted. Readers find only such jobs. */
export const isKept = sql<boolean>`(jobs.deleted_at is null)`;

/** True for a row that belongs to a job that is not deleted. Readers list only such rows. */
export function ofKeptJob(jobId: RawBuilder<unknown>): RawBuilder<boolean> {
  return sql<boolean>`not exists (select 1 from jobs where jobs.id = ${jobId} and jobs.deleted_at is not null)`;
}

/** The job has ended, and none of its runs is being retried. */
export const isFinished = sql<boolean>`(ended_at is not null and queued + active + collecting = 0)`;

/**
 * Keep the job while a lost execution may still show up and cost money, or artifacts of an earlier attempt are fetched.
 * The executions of a finished job have no other open phase.
 */
const hasOpenExecutions = sql<boolean>`exists (select 1 from executions
  where executions.job_id = jobs.id and phase in ('collecting', 'orphan'))`;

/**
 * Marks a job as deleted, unless a run has not ended or an execution is open.
 * @param remembersKey a later submission with its idempotency key is refused; otherwise the key is free again
 */
export async function markDeleted(
  db: Db,
  jobId: string,
  now: number,
  { remembersKey }: { remembersKey: boolean },
): Promise<boolean> {
  const job = await db
    .selectFrom("jobs")
    .select(["api_key", "idempotency_key"])
    .where("id", "=", jobId)
    .executeTakeFirst();
  const { numUpdatedRows } = await db
    .updateTable("jobs")
    .set({ deleted_at: now, deletion_requested_at: null, deletion_due_at: null })
    .set({ idempotency_key: null, body_hash: null })
    .where("id", "=", jobId)
    .where(isKept)
    .where(isFinished)
    .where(({ not }) => not(hasOpenExecutions))
    .executeTakeFirst();
  if (job === undefined || numUpdatedRows === 0n) return false;
  if (remembersKey && job.idempotency_key !== null)
    await insertDeletedKey(db, job.api_key, job.idempotency_key, now);
  return true;
}

/** Deletable jobs whose runs, retried ones included, all ended before then. */
export async function jobsEndedBefore(db: Db, endedBefore: number, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom("jobs")
    .select("id")
    .where("ended_at", "<", endedBefore)
    .where("deletion_due_at", "is", null)
    .where(isKept)
    .where(isFinished)
    .where(({ not }) => not(hasOpenExecutions))
    .where(
      sql<boolean>`not exists (select 1 from runs
        where job_id = jobs.id and retry_of is not null and runs.ended_at >= ${endedBefore})`,
    )
    .orderBy("ended_at")
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

/**
 * Removes a bounded number of rows of deleted jobs. Runs come first: without executions no callback adds an event.
 * @param countedSince starts since then still count in the limit of this process; null: none does
 * @returns false if there was no deleted job
 */
export async function removeDeleted(db: Db, countedSince: number | null = null): Promise<boolean> {
  const deleted = db.selectFrom("jobs").select("id").where("deleted_at", "is not", null);
  const rows = await deleted.orderBy("deleted_at").orderBy("id").limit(JOBS_AT_ONCE).execute();
  if (rows.length === 0) return false;
  const jobIds = rows.map(({ id }) => id);
  if (countedSince !== null) await keepStarts(db, jobIds, countedSince);
  let left = ROWS_AT_ONCE;
  for (const part of parts) {
    const limit = Math.ceil(left / part.weight);
    const removed = await remove(db, part, jobIds, limit);
    if (removed === limit) return true;
    left -= removed * part.weight;
  }
  await db.deleteFrom("jobs").where("id", "in", jobIds).execute();
  return true;
}

const JOBS_AT_ONCE = 20;
const ROWS_AT_ONCE = 2_000;

interface Part {
  table: "runs" | "events" | "specs" | "deliveries";
  key: string[];
  /** Rows that go with one, roughly. */
  weight: number;
  condition?: RawBuilder<unknown>;
}

const parts: Part[] = [
  // With their executions, callbacks and artifacts.
  { table: "runs", key: ["id"], weight: 10 },
  { table: "events", key: ["seq"], weight: 1 },
  { table: "specs", key: ["job_id", "position"], weight: 1 },
  // Pending deliveries are still sent.
  { table: "deliveries", key: ["id"], weight: 1, condition: sql`due_at is null` },
];

async function remove(
  db: Db,
  { table, key, condition = sql`true` }: Part,
  jobIds: string[],
  limit: number,
): Promise<number> {
  const columns = sql.join(key.map((column) => sql.ref(column)));
  const { numAffectedRows } = await sql`delete from ${sql.table(table)} where (${columns}) in (
    select ${columns} from ${sql.table(table)}
    where job_id in (${sql.join(jobIds)}) and ${condition} limit ${limit})`.execute(db);
  return Number(numAffectedRows);
}
