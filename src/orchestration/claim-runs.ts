// Taking the next runs to start: whose turn it is is decided at the last moment, and the execution is durable
// before anything is sent.
import type { Execution } from "../domain/execution.ts";
import type { Run } from "../domain/run.ts";
import type { RunSpec } from "../domain/spec.ts";
import { Conflict, type Tx } from "../store/db/transaction.ts";
import { advanceRoundRobin, type JobTurn, nextInFairOrder, nextReadyAt } from "../store/fair-queue.ts";
import { nextQueuedRuns, type QueuedRun } from "../store/runs.ts";
import { loadSpecs } from "../store/specs.ts";
import { applyFacts } from "./apply-facts.ts";
import type { Context } from "./context.ts";

export interface Claim {
  run: Run;
  execution: Execution;
  spec: RunSpec;
}

/** The run whose turn it is, with its new execution; or when to look again (null: when woken). */
export async function claimNext(context: Context): Promise<Claim | { nextAt: number | null }> {
  const { claims, nextAt } = await claimRuns(context, 1);
  return claims[0] ?? { nextAt };
}

/**
 * As many runs in one write, each by its turn; `nextAt` says when to look again if there were fewer.
 * @param onUncertain hears of the executions when the write fails and may have come through all the same
 */
export async function claimRuns(
  context: Context,
  most: number,
  onUncertain: (executionIds: string[]) => void = () => {},
): Promise<{ claims: Claim[]; nextAt: number | null }> {
  let claims: Claim[] = [];
  const claiming = context.store.write(async (tx) => {
    claims = [];
    while (claims.length < most) {
      const wanted = most - claims.length;
      const turns = await nextInFairOrder(tx.db, tx.now, wanted);
      if (turns.length > 0) claims.push(...(await claimAll(context, tx, turns)));
      if (turns.length < wanted) return { claims, nextAt: await nextReadyAt(tx.db) };
    }
    return { claims, nextAt: null };
  });
  return claiming.catch((error) => {
    onUncertain(claims.map(({ execution }) => execution.id));
    throw error;
  });
}

/** Fewer than there are turns if some of a job's runs are not to start yet. */
async function claimAll(context: Context, tx: Tx, turns: JobTurn[]): Promise<Claim[]> {
  // Before the runs are chosen: among several instances one has these turns, and `max_parallel` holds.
  await advanceRoundRobin(tx.db, turns, tx.now);
  const queued = await runsOf(tx, turns);
  const told = queued.map(({ id }) => {
    return { runId: id, fact: { type: "claimed", executionId: tx.newId("exe") } } as const;
  });
  const settled = await applyFacts(context, tx, told);
  const specs = await loadSpecs(tx.db, queued);
  return queued.map(({ id }, index) => {
    const { run, execution, changed } = settled[index] ?? {};
    const spec = specs[index];
    if (run === undefined || execution == null || !changed || spec === undefined)
      throw new Error(`run ${id} is queued but cannot be claimed`);
    return { run, execution, spec };
  });
}

/** The runs whose turns these are, in their order. */
async function runsOf({ db, now }: Tx, turns: JobTurn[]): Promise<QueuedRun[]> {
  const waiting = new Map<string, QueuedRun[]>();
  for (const [jobId, those] of Map.groupBy(turns, ({ id }) => id)) {
    const runs = await nextQueuedRuns(db, jobId, now, those.length);
    if (runs.length === 0) throw new Conflict(`job ${jobId} is ready but has no run to start`);
    waiting.set(jobId, runs);
  }
  return turns.flatMap(({ id }) => waiting.get(id)?.shift() ?? []);
}
