// Reads the depth of the queues at intervals, for the metrics and the queue limit.
import type { Context } from "../orchestration/context.ts";
import { readDepths } from "../store/queue-stats.ts";
import type { Worker } from "./loop.ts";

export function createQueueStats(context: Context, now: () => number): Worker {
  return {
    name: "queue_stats",
    async runOnce() {
      const { queued, live, withoutWakeup } = await readDepths(context.store.db);
      context.backlog.counted(queued);
      context.report.levels({ queued, live, withoutWakeup });
      return now() + PERIOD_MS;
    },
    idle: async () => {},
  };
}

const PERIOD_MS = 15_000;
