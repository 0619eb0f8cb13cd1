// What a look at Lyceum brings is kept: the record that tells of an end together with that end, the other documents as
// they come. With the last of them the run becomes terminal. All of one turn are written together.
import type { DetectedBy, Snapshot } from "../domain/execution.ts";
import type { RecordSummary } from "../domain/gpu-selection.ts";
import { type ArtifactChange, nextFetchAts, saveArtifacts } from "../store/artifacts.ts";
import type { Tx } from "../store/db/transaction.ts";
import { type Applied, applyFacts, type FactFor } from "./apply-facts.ts";
import { batched, type Context } from "./context.ts";

export interface RecordRead {
  executionId: string;
  reading: Snapshot;
  by: DetectedBy;
  askedAt: number;
  /** Lyceum has just answered an abort that there is nothing to end. */
  isBeyondAbort?: boolean;
  /** What is kept of the record if it tells of an end; null: it is to be read again. */
  kept: (Pick<ArtifactChange, "document"> & { summary: RecordSummary | null }) | null;
  /** Until when the execution, if its end is new, belongs to whoever fetches its documents; null: nobody does yet. */
  holdUntil(now: number): number | null;
}

/** Answers until when the execution is held for its documents; null: its end was not new, or nobody fetches them. */
export const noteRecord = batched(noteRecords);

async function noteRecords(context: Context, tx: Tx, all: RecordRead[]): Promise<(number | null)[]> {
  const reads = all.map((read) => ({ ...read, heldUntil: read.holdUntil(tx.now) }));
  const told = reads.map(
    ({ executionId, reading: snapshot, by, askedAt, heldUntil, isBeyondAbort = false }): FactFor => {
      return { executionId, fact: { type: "reading", snapshot, by, askedAt, heldUntil, isBeyondAbort } };
    },
  );
  const settled = await applyFacts(context, tx, told);
  const isNewEnd = (index: number) =>
    settled[index]?.changed === true && settled[index].execution?.phase === "collecting";
  const records = reads.flatMap(({ executionId, kept, askedAt }, index) => {
    if (kept === null || !isNewEnd(index)) return [];
    const read = { tries: 1, firstTriedAt: askedAt, fetchedAt: tx.now };
    const open = { state: "pending", dueAt: tx.now } as const;
    const state = kept.summary?.awaits_bill === true ? open : ({ state: "stored", dueAt: null } as const);
    return [{ executionId, kind: "record", ...state, ...read, ...kept } as const];
  });
  await saveArtifacts(tx.db, records);
  return reads.map(({ heldUntil }, index) => (isNewEnd(index) ? heldUntil : null));
}

export interface Collected {
  executionId: string;
  artifacts: Omit<ArtifactChange, "executionId">[];
  /** What the record says by now, if it was read again. */
  record?: Snapshot | undefined;
}

/** Keeps what was fetched; if nothing is pending after that, the run becomes terminal. */
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
  // As it stands now: a lease that ended early (the clock was set forward) lets somebody else collect meanwhile.
  const ids = executions.map(({ executionId }) => executionId);
  const next = await nextFetchAts(tx.db, [...new Set(ids)], tx.now);
  const told = executions.map(({ executionId, record }): FactFor => {
    const dueAt = next.get(executionId);
    if (dueAt === undefined) return { executionId, fact: { type: "collected", record } };
    return { executionId, fact: { type: "collect_later", dueAt, record } };
  });
  return applyFacts(context, tx, told);
}
