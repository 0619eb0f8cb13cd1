// The context of every use case.
import type { CallbackHealth } from "../domain/callback-health.ts";
import type { Durations } from "../domain/duration-estimates.ts";
import type { FoundStarts } from "../domain/found-starts.ts";
import type { Backlog } from "../domain/queue-limit.ts";
import type { Rules } from "../domain/state-machine/schedule.ts";
import type { NewId } from "../lib/id.ts";
import type { Tx } from "../store/db/transaction.ts";
import type { InboxEntry } from "../store/inbox.ts";
import type { PlaceLimits } from "../store/places.ts";
import type { Store } from "../store/store.ts";
import type { Report } from "../telemetry/report.ts";

import type { KeyQuotas } from "./key-quotas.ts";

export interface Context {
  store: Store;
  newId: NewId;
  random: () => number;
  rules: Omit<Rules, "callbacks">;
  health: CallbackHealth;
  durations: Durations;
  backlog: Backlog;
  /**
   * Callbacks of the inbox by their execution, while its check is under way: the next fact about the execution files
   * them.
   */
  underCheck: Map<string, InboxEntry[]>;
  foundStarts: FoundStarts;
  quotas: KeyQuotas;
  report: Report;
  /** Null: there is one instance, which keeps its limits in memory. */
  sharedLimits: PlaceLimits | null;
}

/** Makes a use case for a single item, which joins the batch of its tick (store/db/batch.ts). */
export function batched<I, R>(
  run: (context: Context, tx: Tx, items: I[]) => Promise<R[]>,
): (context: Context, item: I) => Promise<R> {
  // All items of a store have the same context.
  const runBatch = (tx: Tx, batch: { context: Context; item: I }[]) => {
    const [{ context }] = batch as [(typeof batch)[number]];
    return run(
      context,
      tx,
      batch.map(({ item }) => item),
    );
  };
  return (context, item) => context.store.batchWrite(runBatch, { context, item });
}
