// Reads the depth of the queues at intervals, and writes the numbers that no transaction wrote.
import type { Context } from "../orchestration/context.ts";
import { readTimeToKnowledge } from "../orchestration/time-to-knowledge.ts";
import { incrementCounter } from "../store/counters.ts";
import { readDepths, readSavedDepths, saveDepths } from "../store/queue-stats.ts";
import { type Level, setLevels } from "../store/stats.ts";
import type { Worker } from "./loop.ts";
import type { Role } from "./role.ts";

/** @param role its holder counts for all instances */
export function createQueueStats(context: Context, now: () => number, role: Role): Worker {
  const { store, report } = context;
  /** Unchanged levels need no write, so that an idle service writes nothing. */
  let written: Record<Level, number> | null = null;

  async function count() {
    const depths = await readDepths(store.db);
    if (store.kind !== "sqlite") await store.write((tx) => saveDepths(tx.db, depths));
    return depths;
  }

  /** From requests and calls, counted in memory. A crash loses those of one period at most. */
  async function save(levels: Record<Level, number> | null): Promise<void> {
    const counts = report.unsaved();
    if (counts.size === 0 && levels === null) return;
    await store.write(async (tx) => {
      for (const [name, by] of counts) {
        tx.count(name, by);
        if (name.startsWith("callbacks."))
          tx.atEnd(`counters ${name}`, () => incrementCounter(tx.db, name, by));
      }
      if (levels !== null) tx.atEnd("stats levels", () => setLevels(tx.db, tx.now, tx.instance, levels));
      tx.afterCommit(() => report.saved(counts));
    });
    written = levels ?? written;
  }

  return {
    name: "queue-stats",
    async runOnce() {
      const isCounter = await role.isHeld();
      const { queued, live, withoutWakeup } = await (isCounter ? count() : readSavedDepths(store.db));
      context.backlog.counted(queued);
      report.levels({ queued, live, withoutWakeup });
      const isChanged = isCounter && (written?.waiting !== queued || written.alive !== live);
      await save(isChanged ? { waiting: queued, alive: live } : null);
      report.timeToKnowledge(await readTimeToKnowledge(store.db, now()));
      return now() + PERIOD_MS;
    },
    idle: async () => {},
    release: () => save(null),
  };
}

const PERIOD_MS = 15_000;
