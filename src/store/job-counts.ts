// Counts, costs, readiness and status of a job, updated at once with every change of its runs.
import { sql } from "kysely";
import { nothing, type Tally } from "../domain/cost.ts";
import { type Counts, type JobStatus, jobStatus } from "../domain/job.ts";
import { type RunStatus, runStatuses } from "../domain/run.ts";
import { inputRows, isSqlite, statementForRows } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";
import { isKept } from "./deletions.ts";
import { type JobRow, lockedInOrder } from "./jobs.ts";

export type UpdatedJob = LockedJob & Pick<JobRow, "ready_at">;

export interface JobChange {
  job: UpdatedJob;
  newStatus: JobStatus | null;
  /** These costs used up the job's budget. */
  isBudgetReached: boolean;
}

export interface JobMoves {
  jobId: string;
  moves: readonly { from: RunStatus; to: RunStatus }[];
  cost?: Tally | undefined;
  servedSeq?: number | undefined;
}

/** Returns one change per job, in the same order. @param jobs in lock order */
export async function updateJobCounts(db: Db, jobs: readonly JobMoves[], now: number): Promise<JobChange[]> {
  const ids = jobs.map(({ jobId }) => jobId);
  const before = new Map((await lockForUpdate(db, ids)).map((job) => [job.id, job]));
  const changed = jobs.map((moves) => {
    const job = before.get(moves.jobId);
    if (job === undefined) throw new Error(`runs changed, but job ${moves.jobId} does not exist`);
    return { job, after: jobAfter(job, moves, now) };
  });
  // A second statement: PostgreSQL now holds the jobs' locks, so it sees the runs of every earlier transaction.
  const updated = await updateJobs(
    db,
    changed.map(({ after }) => toColumns(after)),
  );
  const readyAt = new Map(updated.map(({ id, ready_at }) => [id, ready_at]));
  return changed.map(({ job, after }) => ({
    job: { ...after, ready_at: readyAt.get(job.id) ?? null },
    newStatus: after.status === job.status ? null : after.status,
    isBudgetReached: after.budget_reached_at !== job.budget_reached_at,
  }));
}

function jobAfter(job: LockedJob, { moves, cost = nothing, servedSeq }: JobMoves, now: number): LockedJob {
  const counts = countsOf(job);
  for (const { from, to } of moves) {
    counts[from]--;
    counts[to]++;
  }
  // An ended job keeps its status, even if one of its runs is retried by hand.
  const status = job.ended_at === null ? jobStatus(counts, job.status) : job.status;
  const isOver = status !== "queued" && status !== "active";
  const billed_nano = job.billed_nano + cost.billedNano;
  const estimated_nano = job.estimated_nano + cost.estimatedNano;
  const isBudgetUsedUp = job.budget_nano !== null && billed_nano + estimated_nano >= job.budget_nano;
  const budget_reached_at = job.budget_reached_at ?? (isBudgetUsedUp ? now : null);
  // `enforceLimits` ends the queued runs of a job over its budget.
  const mustEndRuns = budget_reached_at !== null && counts.queued > 0;
  return {
    ...job,
    ...counts,
    status,
    started_at: job.started_at ?? (status === "active" ? now : null),
    ended_at: job.ended_at ?? (isOver ? now : null),
    due_at: mustEndRuns ? now : isOver ? null : job.due_at,
    last_served_seq: servedSeq ?? job.last_served_seq,
    billed_nano,
    estimated_nano,
    unpriced: job.unpriced + cost.unpriced,
    budget_reached_at,
  };
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
  for (const job of await lockForUpdate(db, [jobId])) {
    const ready_at = isReady(job) ? earliestStart : null;
    await db.updateTable("jobs").set({ ready_at }).where("id", "=", jobId).execute();
  }
}

export function countsOf(job: Counts): Counts {
  const { queued, active, collecting, succeeded, failed, cancelled } = job;
  return { queued, active, collecting, succeeded, failed, cancelled };
}

const earliestStart = sql<
  number | null
>`(select min(due_at) from runs where job_id = jobs.id and status = 'queued')`;

/** Otherwise nothing of it may start: it is cancelled, over budget, at `max_parallel`, or has nothing queued. */
function isReady({ cancel_mode, budget_reached_at, max_parallel, active, queued }: LockedJob): boolean {
  const isBelowLimit = max_parallel === null || active < max_parallel;
  return queued > 0 && cancel_mode === null && budget_reached_at === null && isBelowLimit;
}

const lockedColumns = [
  ...runStatuses,
  "id",
  "api_key",
  "name",
  "status",
  "started_at",
  "ended_at",
  "due_at",
  "last_served_seq",
  "max_parallel",
  "cancel_mode",
  "on_run_failure",
  "billed_nano",
  "estimated_nano",
  "unpriced",
  "budget_nano",
  "budget_reached_at",
] as const;

type LockedJob = Pick<JobRow, (typeof lockedColumns)[number]>;

const lockForUpdate = statementForRows<string, LockedJob>((db, ids) => {
  const query = db.selectFrom("jobs").select(lockedColumns).where("id", "in", ids);
  return isSqlite(db) ? query : lockedInOrder(query);
});

const updatedColumns = {
  ...Object.fromEntries(runStatuses.map((status) => [status, "integer"])),
  status: "text",
  started_at: "bigint",
  ended_at: "bigint",
  due_at: "bigint",
  last_served_seq: "bigint",
  billed_nano: "bigint",
  estimated_nano: "bigint",
  unpriced: "integer",
  budget_reached_at: "bigint",
};
const updatedNames = Object.keys(updatedColumns) as (keyof LockedJob)[];

function toColumns(job: LockedJob) {
  return [...updatedNames.map((name) => job[name]), isReady(job) ? 1 : 0, job.id];
}

const updateJobs = statementForRows<ReturnType<typeof toColumns>, Pick<JobRow, "id" | "ready_at">>(
  (db, rows) => {
    const types = [...Object.values(updatedColumns), "integer", "text"];
    const { columns, from } = inputRows(db, types, rows.length);
    const sets = updatedNames.map((name, index) => sql`${sql.ref(name)} = ${columns[index]}`);
    const [mayStart, id] = columns.slice(-2);
    return sql<Pick<JobRow, "id" | "ready_at">>`update jobs set ${sql.join(sets)},
      ready_at = case when ${mayStart} = 1 then ${earliestStart} end${from} where id = ${id}
      returning id, ready_at`;
  },
);
