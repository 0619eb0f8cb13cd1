// A job follows its runs: counts, status, and the consequences of a run's end for the other runs.
import type { EventDraft } from "../domain/event.ts";
import { type Counts, isUndecided, type JobStatus } from "../domain/job.ts";
import { groupSortedByRow, type Tx } from "../store/db/transaction.ts";
import { countsOf, type JobChange, updateJobCounts } from "../store/job-counts.ts";
import { type JobRow, markCancelled, setJobDue } from "../store/jobs.ts";
import type { RunChange } from "../store/runs.ts";

export async function updateJobs(tx: Tx, changes: readonly RunChange[]): Promise<void> {
  const byJob = new Map(groupSortedByRow(changes, ({ after }) => after.jobId));
  const jobs = [...byJob].map(([jobId, runs]) => {
    return { jobId, changes: runs.map(({ before, after }) => ({ from: before.status, to: after.status })) };
  });
  for (const change of await updateJobCounts(tx.db, jobs, tx.now))
    await followUp(tx, change, byJob.get(change.job.id) ?? []);
}

async function followUp(tx: Tx, { job, newStatus }: JobChange, runs: readonly RunChange[]): Promise<void> {
  if (newStatus !== null && newStatus !== "queued") tx.emit(jobEvent(job, newStatus));
  if (job.ready_at !== null) tx.wake("dispatch", job.ready_at);
  if (job.budget_reached_at !== null && runs.some(({ after }) => after.status === "queued")) {
    await setJobDue(tx.db, job.id, tx.now);
    tx.wake("enforce-limits", tx.now);
  }
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
