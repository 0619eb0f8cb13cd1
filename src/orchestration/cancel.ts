// Cancelling a run or a whole job. A job is marked first, so that nothing more of it starts; then the cancellation is
// spread over its runs, a bounded number at a time: what is left of them is for `steer`.
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

/** Idempotent; a terminal job stays as it is, but for runs that were retried by hand. */
export async function cancelJob(context: Context, job: JobRow, cancellation: Cancellation): Promise<void> {
  await context.store.write((tx) => markAndSpread(context, tx, job.id, cancellation));
}

/** Of one job in one transaction. */
export const RUNS_AT_ONCE = 200;

/** Marks the job and cancels the first of its runs; the others are due at once. */
export async function markAndSpread(
  context: Context,
  tx: Tx,
  jobId: string,
  asked: Cancellation,
): Promise<void> {
  const job = await markCancelled(tx.db, jobId, asked, tx.now);
  // The job may have been due for this: its runs have ended meanwhile.
  if (job === null) return resetDueToDeadline(tx.db, jobId, tx.now);
  const cancellation = cancellationOf(job);
  const runIds = await runsToCancel(tx.db, jobId, cancellation.mode, RUNS_AT_ONCE);
  const fact = { type: "cancel", cancellation } as const;
  await applyFacts(
    context,
    tx,
    runIds.map((runId) => ({ runId, fact })),
  );
  const isSpread = runIds.length < RUNS_AT_ONCE;
  await setJobDue(tx.db, jobId, isSpread ? null : tx.now);
  if (!isSpread) tx.wake("steer", tx.now);
}

/** As it is marked; what is due without a mark has passed its deadline. */
export function cancellationOf(job: JobRow): Cancellation {
  return { mode: job.cancel_mode ?? "abort", cause: job.cancel_cause ?? "deadline" };
}
