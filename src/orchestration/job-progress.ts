// A job follows its runs: its counts, its status, and what a run's end means for the others.
import type { EventDraft } from "../domain/event.ts";
import { type Counts, isUndecided, type JobStatus } from "../domain/job.ts";
import { groupSortedByRow, type Tx } from "../store/db/transaction.ts";
import { countsOf, type JobChange, updateJobCounts } from "../store/job-counts.ts";
import { type JobRow, markCancelled, setJobDue } from "../store/jobs.ts";
import type { RunChange } from "../store/runs.ts";

/** Runs have changed their status. */
export async function updateJobs(tx: Tx, moved: readonly RunChange[]): Promise<void> {
  const ofJobs = new Map(groupSortedByRow(moved, ({ after }) => after.jobId));
  const moves = [...ofJobs].map(([jobId, those]) => {
    return { jobId, moves: those.map(({ before, after }) => ({ from: before.status, to: after.status })) };
  });
  for (const change of await updateJobCounts(tx.db, moves, tx.now))
    await follow(tx, change, ofJobs.get(change.job.id) ?? []);
}

async function follow(tx: Tx, { job, entered }: JobChange, moved: readonly RunChange[]): Promise<void> {
  if (entered !== null && entered !== "queued") tx.emit(jobEvent(job, entered));
  if (job.ready_at !== null) tx.wake("dispatch", job.ready_at);
  if (job.budget_reached_at !== null && moved.some(({ after }) => after.status === "queued")) {
    await setJobDue(tx.db, job.id, tx.now);
    tx.wake("steer", tx.now);
  }
  const isFirstFailure = job.on_run_failure === "cancel_rest" && job.cancel_mode === null;
  if (isFirstFailure && job.ended_at === null && isUndecided(job) && moved.some(hasFailed)) {
    await markCancelled(tx.db, job.id, { mode: "abort", cause: "run_failure" }, tx.now);
    tx.wake("steer", tx.now);
  }
}

/** Acts when the outcome is known. A run that the budget ended is no reason to end runs that are alive. */
function hasFailed({ before, after }: RunChange): boolean {
  return before.outcome === null && after.outcome === "failed" && after.error?.code !== "budget_reached";
}

export function jobEvent(
  job: Counts & Pick<JobRow, "id" | "name">,
  what: "created" | Exclude<JobStatus, "queued">,
): EventDraft {
  return { type: `job.${what}`, jobId: job.id, data: { name: job.name, counts: countsOf(job) } };
}
