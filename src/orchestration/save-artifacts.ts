// A record that shows an end is saved in the transaction of that end. With the last artifact the run becomes terminal.
import type { DetectedBy, Snapshot } from "../domain/execution.ts";
import type { RecordSummary } from "../domain/gpu-selection.ts";
import { type ArtifactChange, nextFetchAts, saveArtifacts } from "../store/artifacts.ts";
import type { Tx } from "../store/db/transaction.ts";
import { type Applied, applyFacts, type FactFor } from "./apply-facts.ts";
import { batched, type Context } from "./context.ts";

export interface RecordRead {
  executionId: string;
  snapshot: Snapshot;
  by: DetectedBy;
  askedAt: number;
  isBeyondAbort?: boolean;
  record: (Pick<ArtifactChange, "document"> & { summary: RecordSummary | null }) | null;
  holdUntil(now: number): number | null;
}

/** Returns the end of the lease for collecting; null: the end was not new, or nobody collects yet. */
export const saveRecord = batched(saveRecords);

async function saveRecords(context: Context, tx: Tx, batch: RecordRead[]): Promise<(number | null)[]> {
  const reads = batch.map((read) => ({ ...read, leaseUntil: read.holdUntil(tx.now) }));
  const facts = reads.map(
    ({ executionId, snapshot, by, askedAt, leaseUntil, isBeyondAbort = false }): FactFor => {
      return { executionId, fact: { type: "snapshot", snapshot, by, askedAt, leaseUntil, isBeyondAbort } };
    },
  );
  const applied = await applyFacts(context, tx, facts);
  const isNewEnd = (index: number) =>
    applied[index]?.changed === true && applied[index].execution?.phase === "collecting";
  const records = reads.flatMap(({ executionId, record, askedAt }, index) => {
    if (record === null || !isNewEnd(index)) return [];
    const attempt = { tries: 1, firstTriedAt: askedAt, fetchedAt: tx.now };
    const pending = { state: "pending", dueAt: tx.now } as const;
    const stored = { state: "stored", dueAt: null } as const;
    const state = record.summary?.awaits_bill === true ? pending : stored;
    return [{ executionId, kind: "record", ...state, ...attempt, ...record } as const];
  });
  await saveArtifacts(tx.db, records);
  return reads.map(({ leaseUntil }, index) => (isNewEnd(index) ? leaseUntil : null));
}

export interface Collected {
  executionId: string;
  artifacts: Omit<ArtifactChange, "executionId">[];
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
