// A record that shows an end is saved in the transaction of that end. With the last artifact the run becomes terminal.
import type { DetectedBy, Snapshot } from "../domain/execution.ts";
import type { Collected as CollectedFact } from "../domain/state-machine/fact.ts";
import { type ArtifactChange, nextFetchAts, saveArtifacts } from "../store/artifacts.ts";
import { artifactKinds } from "../store/db/schema.ts";
import type { Tx } from "../store/db/transaction.ts";
import { type Applied, applyFacts, type FactFor } from "./apply-facts.ts";
import { batched, type Context } from "./context.ts";

export interface RecordRead {
  executionId: string;
  snapshot: Snapshot;
  by: DetectedBy;
  askedAt: number;
  isBeyondAbort?: boolean;
  /** Stored with the end. If all are known, nothing is left to collect, or only what is to be fetched again. */
  artifacts: readonly ArtifactOf[];
  holdUntil(now: number): number | null;
}

export type ArtifactOf = Omit<ArtifactChange, "executionId">;

/** Returns the end of the lease for collecting; null: the end was not new, nobody collects yet, or nothing is left. */
export const saveRecord = batched(saveRecords);

async function saveRecords(context: Context, tx: Tx, reads: RecordRead[]): Promise<(number | null)[]> {
  const facts = reads.map((read) => {
    const { executionId, snapshot, by, askedAt, isBeyondAbort = false } = read;
    const artifacts = read.artifacts.map((artifact) => ({ executionId, ...artifact }));
    const thenCollected = artifacts.length === artifactKinds.length ? collectedWith(artifacts) : undefined;
    const leaseUntil = read.holdUntil(tx.now);
    const fact = {
      type: "snapshot",
      snapshot,
      by,
      askedAt,
      leaseUntil,
      isBeyondAbort,
      thenCollected,
    } as const;
    return { executionId, fact, artifacts };
  });
  const applied = await applyFacts(context, tx, facts);
  return facts.map(({ fact: { leaseUntil, thenCollected } }, index) => {
    const isLeft = applied[index]?.changed === true && applied[index].execution?.phase === "collecting";
    return isLeft && thenCollected === undefined ? leaseUntil : null;
  });
}

function collectedWith(artifacts: readonly ArtifactOf[]): CollectedFact {
  const dueAts = artifacts.flatMap(({ dueAt }) => dueAt ?? []);
  return dueAts.length === 0 ? { type: "collected" } : { type: "collect_later", dueAt: Math.min(...dueAts) };
}

export interface Collected {
  executionId: string;
  artifacts: ArtifactOf[];
  record?: Snapshot | undefined;
}

/** With the last pending artifact the run becomes terminal. */
export const saveCollected = batched(saveAllCollected);

async function saveAllCollected(
  context: Context,
  tx: Tx,
  executions: Collected[],
): Promise<(Applied | null)[]> {
  await saveArtifacts(
    tx.db,
    executions.flatMap(({ executionId, artifacts }) =>
      artifacts.map((change) => ({ executionId, ...change })),
    ),
  );
  // Read the stored states: if the lease ended early (clock set forward), another worker may have collected meanwhile.
  const ids = executions.map(({ executionId }) => executionId);
  const next = await nextFetchAts(tx.db, [...new Set(ids)], tx.now);
  const facts = executions.map(({ executionId, record }): FactFor => {
    const dueAt = next.get(executionId);
    if (dueAt === undefined) return { executionId, fact: { type: "collected", record } };
    return { executionId, fact: { type: "collect_later", dueAt, record } };
  });
  return applyFacts(context, tx, facts);
}
