// Recover: what the former process knew and this one must, before it begins to work.
import type { Throttle } from "../lyceum/throttle.ts";
import type { Context } from "../orchestration/context.ts";
import { hastenUnanswered, spreadLooks } from "../store/due.ts";
import { submissionsSince } from "../store/executions.ts";
import { readPauses, savePause } from "../store/pauses.ts";

export interface RecoverOptions {
  throttle: Throttle;
  /** Of the limit on starts; null without one. */
  startWindowMs: number | null;
  now: number;
}

/** The start limit's past, the pauses, and the work that a dead process left claimed or unanswered. */
export async function recover(
  context: Context,
  { throttle, startWindowMs, now }: RecoverOptions,
): Promise<void> {
  const { store, report } = context;
  const { submitPatienceMs } = context.rules;
  const sentAt =
    startWindowMs === null ? [] : await submissionsSince(store.db, now - startWindowMs - submitPatienceMs);
  // Lyceum may have counted a start as late as its answer: one that was just sent counts from now.
  const startedAt = sentAt.map((at) => Math.min(at + submitPatienceMs, now));
  const pauses = await readPauses(store.db, now);
  throttle.restore({
    startedAt,
    pauses: pauses.map(({ group, until }) => ({ group: group as "execution", until })),
  });
  throttle.onPause((pause) => {
    store.write((tx) => savePause(tx.db, pause, tx.now)).catch((error) => report.fault("pause", error));
  });
  await store.write(async (tx) => {
    // Callbacks may have come while nobody listened. A live one that another instance watches is looked at twice.
    if (store.kind !== "sqlite") return spreadLooks(tx.db, tx.now, "watched");
    // A SQLite file has one process: nobody waits any more for the starts that it finds unanswered, or holds leases.
    await spreadLooks(tx.db, tx.now, "open");
    await hastenUnanswered(tx.db, tx.now);
  });
}
