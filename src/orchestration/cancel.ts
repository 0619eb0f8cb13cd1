// Cancelling a run or a whole job. A job is marked first, so that nothing more of it starts; `steer` then
// spreads the cancellation over its runs, a bounded number at a time.
import type { Cancellation } from "../domain/run.ts";
import type { JobRow } from "../store/jobs.ts";
import { jobsDue, markCancelled, nextJobDueAt, setJobDue } from "../store/jobs.ts";
import { runsToCancel } from "../store/runs.ts";
import type { Tx } from "../store/transaction.ts";
import type { Context } from "./context.ts";
import { settleRun } from "./settle.ts";

export async function cancelRun(context: Context, runId: string, cancellation: Cancellation): Promise<void> {
  await context.store.write((tx) => settleRun(context, tx, runId, { fact: "cancel", cancellation }));
}

/** Idempotent; a terminal job stays as it is. */
export async function cancelJob(context: Context, job: JobRow, cancellation: Cancellation): Promise<void> {
  await context.store.write(async (tx) => {
    if (job.ended_at !== null) return;
    await markCancelled(tx.db, job.id, cancellation, tx.now);
    await spread(context, tx, job.id, cancellation);
  });
}

/** One round over jobs whose deadline has come or whose cancellation is not spread yet. Answers the next wake-up. */
export async function steer(context: Context): Promise<number | null> {
  return context.store.write(async (tx) => {
    for (const job of await jobsDue(tx.db, tx.now, JOBS_AT_ONCE)) {
      const cancellation = cancellationOf(job);
      if (job.cancel_mode === null) await markCancelled(tx.db, job.id, cancellation, tx.now);
      await spread(context, tx, job.id, cancellation);
    }
    return nextJobDueAt(tx.db);
  });
}

const JOBS_AT_ONCE = 10;
const RUNS_AT_ONCE = 200;

async function spread(context: Context, tx: Tx, jobId: string, cancellation: Cancellation): Promise<void> {
  const runIds = await runsToCancel(tx.db, jobId, cancellation.mode, RUNS_AT_ONCE);
  for (const runId of runIds) await settleRun(context, tx, runId, { fact: "cancel", cancellation });
  const isSpread = runIds.length < RUNS_AT_ONCE;
  await setJobDue(tx.db, jobId, isSpread ? null : tx.now);
  if (!isSpread) tx.wake("steer", tx.now);
}

function cancellationOf(job: JobRow): Cancellation {
  return { mode: job.cancel_mode ?? "abort", cause: job.cancel_cause ?? "deadline" };
}
