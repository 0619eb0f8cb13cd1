// Reads the service's state from the database at intervals, for the metrics: a scrape then costs no query.
import { dayOf, toCredits } from "../domain/cost.ts";
import type { Context } from "../orchestration/context.ts";
import { countOpenDeliveries } from "../store/deliveries.ts";
import { readBacklog } from "../store/inbox.ts";
import { readDepths, readLevels, readSavedDepths } from "../store/queue-stats.ts";
import { databaseBytes, walBytes } from "../store/store.ts";
import { countStrays } from "../store/strays.ts";
import { readUsage } from "../store/usage.ts";
import type { StateMetrics } from "../telemetry/state-metrics.ts";
import { readSharedLevels } from "./call-places.ts";
import type { Worker } from "./loop.ts";

export interface StateMetricsOptions {
  metrics: StateMetrics;
  countInstances: () => Promise<number>;
  now: () => number;
}

export function createStateMetricsReader(
  { store, sharedLimits }: Pick<Context, "store" | "sharedLimits">,
  { metrics, countInstances, now }: StateMetricsOptions,
): Worker {
  async function readLimits() {
    const levels = Object.entries(await readSharedLevels({ store, sharedLimits }, now()));
    return Object.fromEntries(
      levels.map(([bucket, { remaining, pausedUntil }]) => [
        bucket,
        { remaining, pausedMs: pausedUntil === null ? 0 : Math.max(0, pausedUntil - now()) },
      ]),
    );
  }

  const ageOf = (at: number | null) => (at === null ? 0 : Math.max(0, now() - at));

  return {
    name: "state-metrics",
    async runOnce() {
      const day = dayOf(now());
      const levels = await readLevels(store.db, store.kind === "sqlite" ? readDepths : readSavedDepths);
      const backlog = await readBacklog(store.db);
      const [usage] = await readUsage(store.db, "day", { from: day, to: day, apiKey: null });
      metrics.setDatabaseState({
        runs: { queued: levels.queued, active: levels.live, collecting: levels.collecting },
        inDoubt: levels.inDoubt,
        oldestWaitingMs: ageOf(levels.oldestQueuedAt),
        costToday: {
          billed: toCredits(usage?.billedNano ?? 0),
          estimated: toCredits(usage?.estimatedNano ?? 0),
        },
        databaseBytes: Number(await databaseBytes(store)),
        walBytes: await walBytes(store),
        webhookBacklog: await countOpenDeliveries(store.db, MAX_COUNTED),
        instances: await countInstances(),
        strays: await countStrays(store.db),
        sharedLimits: await readLimits(),
        inbox: { callbacks: backlog.callbacks, oldestMs: ageOf(backlog.oldestAt) },
      });
      return now() + PERIOD_MS;
    },
    idle: async () => {},
  };
}

const PERIOD_MS = 15_000;
const MAX_COUNTED = 10_000;
