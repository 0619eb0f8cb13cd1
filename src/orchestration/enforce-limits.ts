// Jobs that need a hand: a deadline that has come, a cancellation that is still to be spread over the runs, a budget
// that is used up.

import type { Tx } from "../store/db/transaction.ts";
import { type JobRow, jobsDue, nextJobDueAt, resetDueToDeadline, setJobDue } from "../store/jobs.ts";
import { queuedRuns } from "../store/runs.ts";
import { applyFacts } from "./apply-facts.ts";
import { cancellationOf, markAndSpread, RUNS_AT_ONCE } from "./cancel.ts";
import type { Context } from "./context.ts";

/** One round over the jobs that are due. Answers the next wake-up. */
export async function steer(context: Context): Promise<number | null> {
  return context.store.write(async (tx) => {
    for (const job of await jobsDue(tx.db, tx.now, JOBS_AT_ONCE)) {
      if (isOnlyOverBudget(job, tx.now)) await endOverBudget(context, tx, job.id);
      else await markAndSpread(context, tx, job.id, cancellationOf(job));
    }
    return nextJobDueAt(tx.db);
  });
}

const JOBS_AT_ONCE = 10;

function isOnlyOverBudget(job: JobRow, now: number): boolean {
  if (job.budget_reached_at === null) return false;
  // A late bill may use up the budget of a job that has ended, cancelled or not.
  if (job.ended_at !== null) return true;
  return job.cancel_mode === null && (job.deadline_at === null || job.deadline_at > now);
}

/** What still waits is ended as failed, so that the job comes to its end. What is alive goes on. */
async function endOverBudget(context: Context, tx: Tx, jobId: string): Promise<void> {
  // Takes the job's lock before it looks: a run that comes back to the queue meanwhile is either seen, or wakes the
  // job again after this.
  await setJobDue(tx.db, jobId, tx.now);
  const runIds = await queuedRuns(tx.db, jobId, RUNS_AT_ONCE);
  const fact = { type: "over_budget" } as const;
  await applyFacts(
    context,
    tx,
    runIds.map((runId) => ({ runId, fact })),
  );
  if (runIds.length < RUNS_AT_ONCE) await resetDueToDeadline(tx.db, jobId, tx.now);
  else tx.wake("steer", tx.now);
}
