// A job is marked first, so that nothing more starts; then its runs are cancelled, a bounded number per transaction.
import type { Cancellation } from "../domain/run.ts";
import type { Tx } from "../store/db/transaction.ts";
import type { JobRow } from "../store/jobs.ts";
import { markCancelled, resetDueToDeadline, setJobDue } from "../store/jobs.ts";
import { runsToCancel } from "../store/runs.ts";
import { applyFact, applyFacts } from "./apply-facts.ts";
import type { Context } from "./context.ts";

export async function cancelRun(context: Context, runId: string, cancellation: Cancellation): Promise<void> {
  await context.store.write((tx) =>
    applyFact(context, tx, { runId, fact: { type: "cancel", cancellation } }),
  );
}

/** Idempotent. In a terminal job it cancels only runs that were retried by hand. */
export async function cancelJob(context: Context, job: JobRow, cancellation: Cancellation): Promise<void> {
  await context.store.write((tx) => markAndCancelRuns(context, tx, job.id, cancellation));
}

export const RUNS_PER_TRANSACTION = 200;

/** The job stays due now until the last run is reached. */
export async function markAndCancelRuns(
  context: Context,
  tx: Tx,
  jobId: string,
  requested: Cancellation,
): Promise<void> {
  const job = await markCancelled(tx.db, jobId, requested, tx.now);
  // All runs have ended meanwhile, but the job may still be due.
  if (job === null) return resetDueToDeadline(tx.db, jobId, tx.now);
  const cancellation = cancellationOf(job);
  const runIds = await runsToCancel(tx.db, jobId, cancellation.mode, RUNS_PER_TRANSACTION);
  const fact = { type: "cancel", cancellation } as const;
  await applyFacts(
    context,
    tx,
    runIds.map((runId) => ({ runId, fact })),
  );
  const isDone = runIds.length < RUNS_PER_TRANSACTION;
  await setJobDue(tx.db, jobId, isDone ? null : tx.now);
  if (!isDone) tx.wake("enforce-limits", tx.now);
}

/** A due job without a mark has passed its deadline. */
export function cancellationOf(job: JobRow): Cancellation {
  return { mode: job.cancel_mode ?? "abort", cause: job.cancel_cause ?? "deadline" };
}
