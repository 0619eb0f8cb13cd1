// Taking the next runs to start: whose turn it is is decided at the last moment, and the execution is durable
// before anything is sent.
import type { Execution } from "../domain/execution.ts";
import type { Run } from "../domain/run.ts";
import type { RunSpec } from "../domain/spec.ts";
import { nextQueuedRun } from "../store/runs.ts";
import { loadSpec } from "../store/specs.ts";
import { Conflict, type Tx } from "../store/transaction.ts";
import { markServed, nextReadyAt, nextReadyJob } from "../store/turns.ts";
import type { Context } from "./context.ts";
import { settle } from "./settle.ts";

export interface Claim {
  run: Run;
  execution: Execution;
  spec: RunSpec;
  /** The run's execution before this one, if there was one. */
  previousId: string | null;
}

/** The run whose turn it is, with its new execution; or when to look again (null: when woken). */
export async function claimNext(context: Context): Promise<Claim | { nextAt: number | null }> {
  const { claims, nextAt } = await claimRuns(context, 1);
  return claims[0] ?? { nextAt };
}

/** As many runs in one write, each by its turn; `nextAt` says when to look again if there were fewer. */
export async function claimRuns(
  context: Context,
  most: number,
): Promise<{ claims: Claim[]; nextAt: number | null }> {
  return context.store.write(async (tx) => {
    const claims: Claim[] = [];
    while (claims.length < most) {
      const claim = await claimOne(context, tx);
      if (claim === null) return { claims, nextAt: await nextReadyAt(tx.db) };
      claims.push(claim);
    }
    return { claims, nextAt: null };
  });
}

async function claimOne(context: Context, tx: Tx): Promise<Claim | null> {
  const job = await nextReadyJob(tx.db, tx.now);
  if (job === null) return null;
  // Before the run is chosen: among several instances one has this turn, and `max_parallel` holds.
  await markServed(tx.db, job, tx.now);
  const queued = await nextQueuedRun(tx.db, job.id, tx.now);
  if (queued === null) throw new Conflict(`job ${job.id} is ready but has no run to start`);
  const fact = { fact: "claimed", executionId: tx.newId("exe") } as const;
  const settled = await settle(context, tx, { runId: queued.id, fact });
  if (settled?.execution == null || !settled.changed)
    throw new Error(`run ${queued.id} is queued but cannot be claimed`);
  return {
    run: settled.run,
    execution: settled.execution,
    spec: await loadSpec(tx.db, queued),
    previousId: queued.execution_id,
  };
}
