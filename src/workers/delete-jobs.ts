// Removes the rows of deleted jobs, a slice in each round, so that no transaction is long.
import { nextTurn } from "../lib/next-turn.ts";
import type { Context } from "../orchestration/context.ts";
import { removeDeleted } from "../store/deletions.ts";
import { checkpoint } from "../store/store.ts";
import type { Worker } from "./loop.ts";

export interface JobDeletionOptions {
  now: () => number;
  /** Starts count so long in the limit of this process; null: not at all. */
  startsCountedMs: number | null;
}

export function createJobDeletion({ store }: Context, { now, startsCountedMs }: JobDeletionOptions): Worker {
  return {
    name: "delete-jobs",
    async runOnce() {
      const wasWork = await store.write((tx) =>
        removeDeleted(tx.db, startsCountedMs === null ? null : tx.now - startsCountedMs),
      );
      if (!wasWork) return null;
      // The pages of many slices at once would hold the event loop for as long as a large transaction.
      await nextTurn();
      await checkpoint(store);
      return now();
    },
    idle: async () => {},
  };
}
