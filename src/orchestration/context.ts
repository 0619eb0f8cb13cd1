// What every use case is given.

import type { CallbackHealth } from "../domain/callback-health.ts";
import type { Durations } from "../domain/duration-estimates.ts";
import type { Backlog } from "../domain/queue-limit.ts";
import type { Rules } from "../domain/state-machine/schedule.ts";
import type { NewId } from "../lib/id.ts";
import type { Tx } from "../store/db/transaction.ts";
import type { Store } from "../store/store.ts";
import type { Report } from "../telemetry/report.ts";

export interface Context {
  store: Store;
  newId: NewId;
  /** In [0, 1). */
  random: () => number;
  rules: Omit<Rules, "callbacks">;
  /** What the process has learned of callbacks and durations: hints for the schedule, never truths. */
  health: CallbackHealth;
  durations: Durations;
  backlog: Backlog;
  report: Report;
}

/** Of a use case for many the one for a single item, which is carried out together with those of the same turn. */
export function batched<I, R>(
  perform: (context: Context, tx: Tx, items: I[]) => Promise<R[]>,
): (context: Context, item: I) => Promise<R> {
  // A store has one context, so that of the first is that of all.
  const performAll = (tx: Tx, all: { context: Context; item: I }[]) => {
    const [{ context }] = all as [(typeof all)[number]];
    const items = all.map(({ item }) => item);
    return perform(context, tx, items);
  };
  return (context, item) => context.store.batchWrite(performAll, { context, item });
}
