// A job follows its runs: counts, costs, status, and the consequences of a run's end for the other runs.
import type { EventDraft } from "../domain/event.ts";
import { type Counts, isUndecided, type JobStatus } from "../domain/job.ts";
import type { Tx } from "../store/db/transaction.ts";
import { countsOf, type JobChange, updateJobCounts } from "../store/job-counts.ts";
import { type JobRow, markCancelled } from "../store/jobs.ts";
import type { RunChange } from "../store/runs.ts";
import type { JobCost } from "./charge.ts";
import type { Context } from "./context.ts";

/** The new turns in the fair queue, by job. */
export type Served = ReadonlyMap<string, number>;

/** @param costs at most one per job */
export async function updateJobs(
  context: Context,
  tx: Tx,
  changes: readonly RunChange[],
  { costs, served }: { costs: readonly JobCost[]; served: Served },
): Promise<void> {
  const runsOf = Map.groupBy(changes, ({ after }) => after.jobId);
  const costOf = new Map(costs.map(({ jobId, tally }) => [jobId, tally]));
  const ids = [...new Set([...runsOf.keys(), ...costOf.keys()])].sort();
  const jobs = ids.map((jobId) => ({
    jobId,
    moves: (runsOf.get(jobId) ?? []).map(({ before, after }) => ({ from: before.status, to: after.status })),
    cost: costOf.get(jobId),
    servedSeq: served.get(jobId),
  }));
  for (const change of await updateJobCounts(tx.db, jobs, tx.now))
    await followUp(context, tx, change, runsOf.get(change.job.id) ?? []);
}

async function followUp(
  { report }: Context,
  tx: Tx,
  { job, newStatus, isBudgetReached }: JobChange,
  runs: readonly RunChange[],
): Promise<void> {
  if (newStatus !== null && newStatus !== "queued") tx.emit(jobEvent(job, newStatus));
  if (job.ready_at !== null) tx.wake("dispatch", job.ready_at);
  if (job.budget_reached_at !== null && job.queued > 0) tx.wake("enforce-limits", tx.now);
  if (isBudgetReached)
    tx.afterCommit(() => report.budgetReached({ jobId: job.id, key: job.api_key, heldUntil: null }));
  const isFirstFailure = job.on_run_failure === "cancel_rest" && job.cancel_mode === null;
  if (isFirstFailure && job.ended_at === null && isUndecided(job) && runs.some(hasFailed)) {
    await markCancelled(tx.db, job.id, { mode: "abort", cause: "run_failure" }, tx.now);
    tx.wake("enforce-limits", tx.now);
  }
}

/** Decided by the outcome, before artifacts are in. A run that the budget ended does not cancel running ones. */
function hasFailed({ before, after }: RunChange): boolean {
  return before.outcome === null && after.outcome === "failed" && after.error?.code !== "budget_reached";
}

export function jobEvent(
  job: Counts & Pick<JobRow, "id" | "name">,
  change: "created" | Exclude<JobStatus, "queued">,
): EventDraft {
  return { type: `job.${change}`, jobId: job.id, data: { name: job.name, counts: countsOf(job) } };
}
