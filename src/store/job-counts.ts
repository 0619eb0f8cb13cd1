// What every change of a run keeps true of its job: counts, readiness, status.
import { sql } from "kysely";
import { type Counts, type JobStatus, jobStatus } from "../domain/job.ts";
import { type RunStatus, runStatuses } from "../domain/run.ts";
import { givenRows, statementOn } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";
import { type JobRow, lockJobs } from "./jobs.ts";

const columns = [
  "id",
  "name",
  "status",
  "ended_at",
  "ready_at",
  "cancel_mode",
  "on_run_failure",
  "budget_reached_at",
] as const;

export type MovedJob = Counts & Pick<JobRow, (typeof columns)[number]>;

export interface JobChange {
  job: MovedJob;
  /** The job's new status, if it changed. */
  entered: JobStatus | null;
}

export interface JobMoves {
  jobId: string;
  moves: readonly { from: RunStatus; to: RunStatus }[];
}

/**
 * Runs of these jobs moved: counts, readiness and, where it follows, the jobs' status move with them.
 * @param moved in lock order. One answer for each of them.
 */
export async function updateJobCounts(db: Db, moved: readonly JobMoves[], now: number): Promise<JobChange[]> {
  const ids = moved.map(({ jobId }) => jobId);
  await lockJobs(db, ids);
  const counted = await count(db, moved.map(toShifts));
  const before = new Map(counted.map(({ id, status }) => [id, status]));
  // A statement of its own: PostgreSQL now holds the jobs' locks, so that the runs it sees are those of all
  // transactions before this one, and readiness cannot be computed from a past that has gone.
  const jobs = await move(
    db,
    counted.map((job) => toMove(job, now)),
  );
  const after = new Map(jobs.map((job) => [job.id, job]));
  return ids.map((id) => {
    const job = after.get(id);
    if (job === undefined) throw new Error(`a run of ${id} moved, but there is no such job`);
    return { job, entered: job.status === before.get(id) ? null : job.status };
  });
}

function toShifts({ jobId, moves }: JobMoves) {
  const shifts = Object.fromEntries(runStatuses.map((status) => [status, 0])) as Counts;
  for (const { from, to } of moves) {
    shifts[from]--;
    shifts[to]++;
  }
  return [...runStatuses.map((status) => shifts[status]), jobId];
}

/** A job that has ended stays so, whatever becomes of a run that was retried by hand. */
function statusOf(job: Counted): JobStatus {
  return job.ended_at === null ? jobStatus(countsOf(job), job.status) : job.status;
}

function toMove(job: Counted, now: number) {
  const status = statusOf(job);
  const isOver = status !== "queued" && status !== "active";
  const startedAt = job.started_at ?? (status === "active" ? now : null);
  const endedAt = job.ended_at ?? (isOver ? now : null);
  return [status, startedAt, endedAt, isOver ? null : job.due_at, job.id];
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

export function countsOf(job: Counts): Counts {
  const { queued, active, collecting, succeeded, failed, cancelled } = job;
  return { queued, active, collecting, succeeded, failed, cancelled };
}

/** When dispatch may start something here: null while cancelled, over its budget or at `max_parallel`. */
const readyAt = sql<number | null>`case
  when cancel_mode is null and budget_reached_at is null and (max_parallel is null or active < max_parallel)
  then (select min(due_at) from runs where job_id = jobs.id and status = 'queued') end`;

type Counted = Counts & Pick<JobRow, "id" | "status" | "started_at" | "ended_at" | "due_at">;

const count = statementOn<ReturnType<typeof toShifts>, Counted>((db, rows) => {
  const { places, from } = givenRows(db, [...runStatuses.map(() => "integer"), "text"], rows.length);
  const shifts = runStatuses.map((status, index) => {
    return sql`${sql.ref(status)} = ${sql.ref(status)} + ${places[index]}`;
  });
  const answers = [...runStatuses, "id", "status", "started_at", "ended_at", "due_at"].map((name) =>
    sql.ref(name),
  );
  const query = sql<Counted>`update jobs set ${sql.join(shifts)}${from} where id = ${places.at(-1)}
    returning ${sql.join(answers)}`;
  return { compile: () => query.compile(db) };
});

const move = statementOn<ReturnType<typeof toMove>, MovedJob>((db, rows) => {
  const types = ["text", "bigint", "bigint", "bigint", "text"];
  const { places, from } = givenRows(db, types, rows.length);
  const [status, startedAt, endedAt, dueAt, id] = places;
  const answers = [...columns, ...runStatuses].map((name) => sql.ref(name));
  const query = sql<MovedJob>`update jobs set ready_at = ${readyAt}, status = ${status}, started_at = ${startedAt},
    ended_at = ${endedAt}, due_at = ${dueAt}${from} where id = ${id} returning ${sql.join(answers)}`;
  return { compile: () => query.compile(db) };
});
