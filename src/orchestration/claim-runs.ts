// Claims the next runs: the fair order is decided at the last moment; executions are durable before their requests.
import type { Execution } from "../domain/execution.ts";
import { executionIdOf } from "../domain/execution-id.ts";
import type { Run } from "../domain/run.ts";
import type { RunSpec } from "../domain/spec.ts";
import { Conflict, type Tx } from "../store/db/transaction.ts";
import { advanceRoundRobin, type JobTurn, nextInFairOrder, nextReadyAt } from "../store/fair-queue.ts";
import { lockPlaces, takePlaces } from "../store/places.ts";
import { firstQueuedRuns, nextQueuedRuns, type QueuedRun } from "../store/runs.ts";
import { loadSpecs } from "../store/specs.ts";
import { applyFacts } from "./apply-facts.ts";
import type { Context } from "./context.ts";

export interface Claim {
  run: Run;
  execution: Execution;
  spec: RunSpec;
}

/** @returns the next run with its new execution, or when to try again (null: when woken) */
export async function claimNext(context: Context): Promise<Claim | { nextAt: number | null }> {
  const { claims, nextAt } = await claimRuns(context, 1);
  return claims[0] ?? { nextAt };
}

/** When a run may start that has a place in the limits that all instances share (epoch ms); null: when woken. */
export async function nextStartAt(context: Context, now: number): Promise<number | null> {
  const { store, sharedLimits } = context;
  const readyAt = await nextReadyAt(store.db, now);
  if (readyAt === null || readyAt > now || sharedLimits === null) return readyAt;
  return store.write(async (tx) => {
    const { free, nextAt } = await freePlaces(context, tx, 1);
    return free > 0 ? now : nextAt;
  });
}

export interface Claimed {
  claims: Claim[];
  /** When to try again if there are fewer claims than asked for (null: when woken). */
  nextAt: number | null;
  /** Runs are ready, but no place is free in the limits that all instances share. */
  isFull: boolean;
}

/** @param onUncertain gets the executions of a write that failed but may have been committed */
export async function claimRuns(
  context: Context,
  limit: number,
  onUncertain: (executionIds: string[]) => void = () => {},
): Promise<Claimed> {
  let claims: Claim[] = [];
  const claiming = context.store.write(async (tx) => {
    claims = [];
    const places = await freePlaces(context, tx, limit);
    while (claims.length < places.free) {
      const wanted = places.free - claims.length;
      const turns = await nextInFairOrder(tx.db, tx.now, wanted);
      if (turns.length > 0) claims.push(...(await claimAll(context, tx, turns)));
      if (turns.length < wanted)
        return endClaim(context, tx, { claims, nextAt: await nextReadyAt(tx.db, tx.now), isFull: false });
    }
    return endClaim(context, tx, { claims, ...places });
  });
  return claiming.catch((error) => {
    onUncertain(claims.map(({ execution }) => execution.id));
    throw error;
  });
}

async function freePlaces(
  { sharedLimits }: Context,
  tx: Tx,
  most: number,
): Promise<Omit<Claimed, "claims"> & { free: number }> {
  const enough = { free: most, nextAt: null, isFull: false };
  if (sharedLimits === null) return enough;
  // Without a run to start no other instance is kept from claiming.
  if ((await nextInFairOrder(tx.db, tx.now, 1)).length === 0)
    return { free: 0, nextAt: await nextReadyAt(tx.db, tx.now), isFull: false };
  const { free, nextAt } = await lockPlaces(tx.db, { bucket: "execution", ...sharedLimits, now: tx.now });
  return free < most ? { free, nextAt, isFull: true } : enough;
}

async function endClaim({ sharedLimits }: Context, tx: Tx, { claims, nextAt, isFull }: Claimed) {
  if (sharedLimits !== null) {
    const ids = claims.map(({ execution }) => execution.id);
    await takePlaces(tx.db, "execution", ids, tx.now);
  }
  return { claims, nextAt, isFull };
}

/** Fewer claims than turns, if some of a job's runs may not start yet. */
async function claimAll(context: Context, tx: Tx, turns: JobTurn[]): Promise<Claim[]> {
  // Before choosing runs: only one instance gets these turns, which keeps `max_parallel`.
  const served = await advanceRoundRobin(tx.db, turns, tx.now);
  const queued = await runsOf(tx, turns);
  const facts = queued.map(({ id, attempt }) => {
    const found = context.foundStarts.ofAttempt(id, attempt + 1);
    const executionId = found?.executionId ?? executionIdOf(tx.newId("exe"), id, attempt + 1);
    return { runId: id, fact: { type: "claimed", executionId } } as const;
  });
  const applied = await applyFacts(context, tx, facts, served);
  const specs = await loadSpecs(tx.db, queued);
  return queued.map(({ id }, index) => {
    const { run, execution, changed } = applied[index] ?? {};
    const spec = specs[index];
    if (run === undefined || execution == null || !changed || spec === undefined)
      throw new Error(`run ${id} is queued but cannot be claimed`);
    return { run, execution, spec };
  });
}

async function runsOf({ db, now }: Tx, turns: JobTurn[]): Promise<QueuedRun[]> {
  const counts = [...Map.groupBy(turns, ({ id }) => id)].map(([id, { length }]) => [id, length] as const);
  const single = counts.flatMap(([jobId, count]) => (count === 1 ? [jobId] : []));
  const runs = single.length === 0 ? [] : await firstQueuedRuns(db, single, now);
  for (const [jobId, count] of counts)
    if (count > 1) runs.push(...(await nextQueuedRuns(db, jobId, now, count)));
  const waiting = Map.groupBy(runs, ({ job_id }) => job_id);
  for (const [jobId] of counts)
    if (!waiting.has(jobId)) throw new Conflict(`job ${jobId} is ready but has no run to start`);
  return turns.flatMap(({ id }) => waiting.get(id)?.shift() ?? []);
}
