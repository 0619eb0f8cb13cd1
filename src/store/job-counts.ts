// Counts, readiness and status of a job, updated with every status change of its runs.
import { sql } from "kysely";
import { type Counts, type JobStatus, jobStatus } from "../domain/job.ts";
import { type RunStatus, runStatuses } from "../domain/run.ts";
import { inputRows, statementForRows } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";
import { isKept } from "./deletions.ts";
import { type JobRow, lockJobs } from "./jobs.ts";

const jobColumns = [
  "id",
  "name",
  "status",
  "ended_at",
  "ready_at",
  "cancel_mode",
  "on_run_failure",
  "budget_reached_at",
] as const;

export type UpdatedJob = Counts & Pick<JobRow, (typeof jobColumns)[number]>;

export interface JobChange {
  job: UpdatedJob;
  newStatus: JobStatus | null;
}

export interface JobStatusChanges {
  jobId: string;
  changes: readonly { from: RunStatus; to: RunStatus }[];
}

/** Returns one change per job, in the same order. @param jobs in lock order */
export async function updateJobCounts(
  db: Db,
  jobs: readonly JobStatusChanges[],
  now: number,
): Promise<JobChange[]> {
  const ids = jobs.map(({ jobId }) => jobId);
  await lockJobs(db, ids);
  const counted = await updateCounts(db, jobs.map(toShifts));
  const before = new Map(counted.map(({ id, status }) => [id, status]));
  // A second statement: PostgreSQL now holds the jobs' locks, so it sees the runs of every earlier transaction.
  const updated = await updateReadiness(
    db,
    counted.map((job) => toReadiness(job, now)),
  );
  const after = new Map(updated.map((job) => [job.id, job]));
  return ids.map((id) => {
    const job = after.get(id);
    if (job === undefined) throw new Error(`runs changed, but job ${id} does not exist`);
    return { job, newStatus: job.status === before.get(id) ? null : job.status };
  });
}

function toShifts({ jobId, changes }: JobStatusChanges) {
  const shifts = Object.fromEntries(runStatuses.map((status) => [status, 0])) as Counts;
  for (const { from, to } of changes) {
    shifts[from]--;
    shifts[to]++;
  }
  return [...runStatuses.map((status) => shifts[status]), jobId];
}

/** An ended job keeps its status, even if one of its runs is retried by hand. */
function statusOf(job: Counted): JobStatus {
  return job.ended_at === null ? jobStatus(countsOf(job), job.status) : job.status;
}

function toReadiness(job: Counted, now: number) {
  const status = statusOf(job);
  const isOver = status !== "queued" && status !== "active";
  const startedAt = job.started_at ?? (status === "active" ? now : null);
  const endedAt = job.ended_at ?? (isOver ? now : null);
  return [status, startedAt, endedAt, isOver ? null : job.due_at, job.id];
}

/**
 * A terminal job keeps its status, and the cancellation or deadline that ended it does not apply to the new run.
 * The caller inserts the run and then calls `refreshReadiness`. Returns the run's position; null if the job is full.
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
    .where("deletion_due_at", "is", null)
    .where(isKept)
    .returning("total")
    .executeTakeFirst();
  return job === undefined ? null : job.total - 1;
}

export async function refreshReadiness(db: Db, jobId: string): Promise<void> {
  await db.updateTable("jobs").set({ ready_at: readyAt }).where("id", "=", jobId).execute();
}

export function countsOf(job: Counts): Counts {
  const { queued, active, collecting, succeeded, failed, cancelled } = job;
  return { queued, active, collecting, succeeded, failed, cancelled };
}

/** The earliest start of a run; null while cancelled, over budget or at `max_parallel`. */
const readyAt = sql<number | null>`case
  when cancel_mode is null and budget_reached_at is null and (max_parallel is null or active < max_parallel)
  then (select min(due_at) from runs where job_id = jobs.id and status = 'queued') end`;

type Counted = Counts & Pick<JobRow, "id" | "status" | "started_at" | "ended_at" | "due_at">;

const updateCounts = statementForRows<ReturnType<typeof toShifts>, Counted>((db, rows) => {
  const { columns, from } = inputRows(db, [...runStatuses.map(() => "integer"), "text"], rows.length);
  const shifts = runStatuses.map((status, index) => {
    return sql`${sql.ref(status)} = ${sql.ref(status)} + ${columns[index]}`;
  });
  const returned = [...runStatuses, "id", "status", "started_at", "ended_at", "due_at"].map((name) =>
    sql.ref(name),
  );
  return sql<Counted>`update jobs set ${sql.join(shifts)}${from} where id = ${columns.at(-1)}
    returning ${sql.join(returned)}`;
});

const updateReadiness = statementForRows<ReturnType<typeof toReadiness>, UpdatedJob>((db, rows) => {
  const types = ["text", "bigint", "bigint", "bigint", "text"];
  const { columns, from } = inputRows(db, types, rows.length);
  const [status, startedAt, endedAt, dueAt, id] = columns;
  const returned = [...jobColumns, ...runStatuses].map((name) => sql.ref(name));
  return sql<UpdatedJob>`update jobs set ready_at = ${readyAt}, status = ${status}, started_at = ${startedAt},
    ended_at = ${endedAt}, due_at = ${dueAt}${from} where id = ${id} returning ${sql.join(returned)}`;
});
