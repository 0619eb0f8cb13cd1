// Reads the depth of the queues at intervals, for the metrics and the queue limit.
import type { Context } from "../orchestration/context.ts";
import { readDepths, readSavedDepths, saveDepths } from "../store/queue-stats.ts";
import type { Worker } from "./loop.ts";
import type { Role } from "./role.ts";

/** @param role its holder counts for all instances */
export function createQueueStats(context: Context, now: () => number, role: Role): Worker {
  const { store } = context;

  async function count() {
    const depths = await readDepths(store.db);
    if (store.kind !== "sqlite") await store.write((tx) => saveDepths(tx.db, depths));
    return depths;
  }

  return {
    name: "queue_stats",
    async runOnce() {
      const { queued, live, withoutWakeup } = await ((await role.isHeld())
        ? count()
        : readSavedDepths(context.store.db));
      context.backlog.counted(queued);
      context.report.levels({ queued, live, withoutWakeup });
      return now() + PERIOD_MS;
    },
    idle: async () => {},
  };
}

const PERIOD_MS = 15_000;
