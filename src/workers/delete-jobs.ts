// Removes the rows of deleted jobs, a slice in each round, so that no transaction is long.
import type { Context } from "../orchestration/context.ts";
import { removeDeleted } from "../store/deletions.ts";
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
      return wasWork ? now() : null;
    },
    idle: async () => {},
  };
}
