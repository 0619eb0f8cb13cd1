// What every change of a run keeps true of its job: counts, readiness, status.
import { sql } from "kysely";
import { type Counts, type JobStatus, jobStatus } from "../domain/job.ts";
import { type RunStatus, runStatuses } from "../domain/run.ts";
import type { JobRow } from "./jobs.ts";
import { statement } from "./statements.ts";
import type { Db } from "./transaction.ts";

const columns = [
  "id",
  "name",
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

/** Runs of a job moved: counts, readiness and, where it follows, the job's status move with them. */
export async function moveRuns(
  db: Db,
  jobId: string,
  moves: readonly { from: RunStatus; to: RunStatus }[],
  now: number,
): Promise<JobChange> {
  const shifts = Object.fromEntries(runStatuses.map((status) => [status, 0])) as Counts;
  for (const { from, to } of moves) {
    shifts[from]--;
    shifts[to]++;
  }
  const [counted] = (await count(db, { jobId, ...shifts })).rows;
  if (counted === undefined) throw new Error(`a run of ${jobId} moved, but there is no such job`);
  const status = counted.ended_at === null ? jobStatus(countsOf(counted), counted.status) : counted.status;
  const isOver = status !== "queued" && status !== "active";
  // A statement of its own: PostgreSQL now holds the job's lock, so that the runs it sees are those of all
  // transactions before this one, and readiness cannot be computed from a past that has gone.
  const moved = {
    jobId,
    status,
    startedAt: counted.started_at ?? (status === "active" ? now : null),
    endedAt: counted.ended_at ?? (isOver ? now : null),
    dueAt: isOver ? null : counted.due_at,
  };
  const [job] = (await move(db, moved)).rows;
  if (job === undefined) throw new Error(`${jobId} is gone in the middle of a transaction`);
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

export function countsOf(job: Counts): Counts {
  const { queued, active, collecting, succeeded, failed, cancelled } = job;
  return { queued, active, collecting, succeeded, failed, cancelled };
}

/** When dispatch may start something here: null while cancelled, over its budget or at `max_parallel`. */
const readyAt = sql<number | null>`case
  when cancel_mode is null and budget_reached_at is null and (max_parallel is null or active < max_parallel)
  then (select min(due_at) from runs where job_id = jobs.id and status = 'queued') end`;

type Counted = Counts & Pick<JobRow, "status" | "started_at" | "ended_at" | "due_at">;

const count = statement<Counts & { jobId: string }, Counted>((db, by) =>
  db
    .updateTable("jobs")
    .set((eb) => ({
      queued: eb("queued", "+", by.queued),
      active: eb("active", "+", by.active),
      collecting: eb("collecting", "+", by.collecting),
      succeeded: eb("succeeded", "+", by.succeeded),
      failed: eb("failed", "+", by.failed),
      cancelled: eb("cancelled", "+", by.cancelled),
    }))
    .where("id", "=", by.jobId)
    .returning([...runStatuses, "status", "started_at", "ended_at", "due_at"]),
);

interface Moved {
  jobId: string;
  status: JobStatus;
  startedAt: number | null;
  endedAt: number | null;
  dueAt: number | null;
}

const move = statement<Moved, MovedJob>((db, { jobId, status, startedAt, endedAt, dueAt }) =>
  db
    .updateTable("jobs")
    .set({ ready_at: readyAt, status, started_at: startedAt, ended_at: endedAt, due_at: dueAt })
    .where("id", "=", jobId)
    .returning([...columns, ...runStatuses]),
);
