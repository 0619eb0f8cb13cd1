// Enforces deadlines, cancellations that have not reached all runs, and used-up budgets of jobs.
import type { Tx } from "../store/db/transaction.ts";
import { type JobRow, jobsDue, nextJobDueAt, resetDueToDeadline, setJobDue } from "../store/jobs.ts";
import { queuedRuns } from "../store/runs.ts";
import { applyFacts } from "./apply-facts.ts";
import { cancellationOf, markAndCancelRuns, RUNS_PER_TRANSACTION } from "./cancel.ts";
import type { Context } from "./context.ts";

export async function enforceLimits(context: Context): Promise<number | null> {
  return context.store.write(async (tx) => {
    for (const job of await jobsDue(tx.db, tx.now, JOBS_PER_TRANSACTION)) {
      if (isOnlyOverBudget(job, tx.now)) await endOverBudget(context, tx, job.id);
      else await markAndCancelRuns(context, tx, job.id, cancellationOf(job));
    }
    return nextJobDueAt(tx.db);
  });
}

const JOBS_PER_TRANSACTION = 10;

function isOnlyOverBudget(job: JobRow, now: number): boolean {
  if (job.budget_reached_at === null) return false;
  // A late bill may use up the budget of an ended job.
  if (job.ended_at !== null) return true;
  return job.cancel_mode === null && (job.deadline_at === null || job.deadline_at > now);
}

/** The job can end then. Running executions continue. */
async function endOverBudget(context: Context, tx: Tx, jobId: string): Promise<void> {
  // Locks the job before reading: a run that returns to the queue meanwhile is either read here or wakes the job again.
  await setJobDue(tx.db, jobId, tx.now);
  const runIds = await queuedRuns(tx.db, jobId, RUNS_PER_TRANSACTION);
  const fact = { type: "over_budget" } as const;
  await applyFacts(
    context,
    tx,
    runIds.map((runId) => ({ runId, fact })),
  );
  if (runIds.length < RUNS_PER_TRANSACTION) await resetDueToDeadline(tx.db, jobId, tx.now);
  else tx.wake("enforce-limits", tx.now);
}
