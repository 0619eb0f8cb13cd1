// Cancelling a run or a whole job. A job is marked first, so that nothing more of it starts; `steer` then
// spreads the cancellation over its runs, a bounded number at a time.
import type { Cancellation } from "../domain/run.ts";
import type { JobRow } from "../store/jobs.ts";
import { jobsDue, markCancelled, nextJobDueAt, setJobDue } from "../store/jobs.ts";
import { runsToCancel } from "../store/runs.ts";
import type { Tx } from "../store/transaction.ts";
import { endOverBudget } from "./budget.ts";
import type { Context } from "./context.ts";
import { settle, settleAll } from "./settle.ts";

export async function cancelRun(context: Context, runId: string, cancellation: Cancellation): Promise<void> {
  await context.store.write((tx) => settle(context, tx, { runId, fact: { fact: "cancel", cancellation } }));
}

/** Idempotent; a terminal job stays as it is. */
export async function cancelJob(context: Context, job: JobRow, cancellation: Cancellation): Promise<void> {
  await context.store.write((tx) => markAndSpread(context, tx, job.id, cancellation));
}

/**
 * One round over jobs whose deadline has come, whose cancellation is not spread yet or whose budget is used up.
 * Answers the next wake-up.
 */
export async function steer(context: Context): Promise<number | null> {
  return context.store.write(async (tx) => {
    for (const job of await jobsDue(tx.db, tx.now, JOBS_AT_ONCE)) {
      if (isOnlyOverBudget(job, tx.now)) await endOverBudget(context, tx, job);
      else await markAndSpread(context, tx, job.id, cancellationOf(job));
    }
    return nextJobDueAt(tx.db);
  });
}

const JOBS_AT_ONCE = 10;
const RUNS_AT_ONCE = 200;

async function markAndSpread(context: Context, tx: Tx, jobId: string, asked: Cancellation): Promise<void> {
  const job = await markCancelled(tx.db, jobId, asked, tx.now);
  if (job === null) return;
  const cancellation = cancellationOf(job);
  const runIds = await runsToCancel(tx.db, jobId, cancellation.mode, RUNS_AT_ONCE);
  const fact = { fact: "cancel", cancellation } as const;
  await settleAll(
    context,
    tx,
    runIds.map((runId) => ({ runId, fact })),
  );
  const isSpread = runIds.length < RUNS_AT_ONCE;
  await setJobDue(tx.db, jobId, isSpread ? null : tx.now);
  if (!isSpread) tx.wake("steer", tx.now);
}

function isOnlyOverBudget(job: JobRow, now: number): boolean {
  const isDeadlineOver = job.deadline_at !== null && job.deadline_at <= now && job.ended_at === null;
  return job.budget_reached_at !== null && job.cancel_mode === null && !isDeadlineOver;
}

function cancellationOf(job: JobRow): Cancellation {
  return { mode: job.cancel_mode ?? "abort", cause: job.cancel_cause ?? "deadline" };
}
