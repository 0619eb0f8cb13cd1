// Taking the next run to start: whose turn it is is decided at the last moment, and the execution is durable
// before anything is sent.
import type { Execution } from "../domain/execution.ts";
import type { Run } from "../domain/run.ts";
import type { RunSpec } from "../domain/spec.ts";
import { findRun, nextQueuedRun } from "../store/runs.ts";
import { loadSpec } from "../store/specs.ts";
import { Conflict } from "../store/transaction.ts";
import { markServed, nextReadyAt, nextReadyJob } from "../store/turns.ts";
import type { Context } from "./context.ts";
import { settleRun } from "./settle.ts";

export interface Claim {
  run: Run;
  execution: Execution;
  spec: RunSpec;
  /** The run's execution before this one, if there was one. */
  previousId: string | null;
}

/** The run whose turn it is, with its new execution; or when to look again (null: when woken). */
export async function claimNext(context: Context): Promise<Claim | { nextAt: number | null }> {
  return context.store.write(async (tx) => {
    const job = await nextReadyJob(tx.db, tx.now);
    if (job === null) return { nextAt: await nextReadyAt(tx.db) };
    // Before the run is chosen: among several instances one has this turn, and `max_parallel` holds.
    await markServed(tx.db, job, tx.now);
    const runId = await nextQueuedRun(tx.db, job.id, tx.now);
    if (runId === null) throw new Conflict(`job ${job.id} is ready but has no run to start`);
    const before = await findRun(tx.db, runId);
    const settled = await settleRun(context, tx, runId, { fact: "claimed", executionId: tx.newId("exe") });
    if (settled?.execution == null || !settled.changed)
      throw new Error(`run ${runId} is queued but cannot be claimed`);
    return {
      run: settled.run,
      execution: settled.execution,
      spec: await loadSpec(tx.db, runId),
      previousId: before?.execution_id ?? null,
    };
  });
}
