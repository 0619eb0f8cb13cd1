// Removes the rows of deleted jobs, a slice in each round, so that no transaction is long.
import type { Context } from "../orchestration/context.ts";
import { hasDeleted, removeDeleted } from "../store/deletions.ts";
import type { Worker } from "./loop.ts";

export interface JobDeletionOptions {
  now: () => number;
  /** Rows stay so long after the job's end, because a restart counts its starts in the limit. */
  keptMs: number;
}

export function createJobDeletion({ store }: Context, { now, keptMs }: JobDeletionOptions): Worker {
  return {
    name: "delete-jobs",
    async runOnce() {
      if (await store.write((tx) => removeDeleted(tx.db, tx.now - keptMs))) return now();
      return (await hasDeleted(store.db)) ? now() + AGAIN_MS : null;
    },
    idle: async () => {},
  };
}

const AGAIN_MS = 60_000;
