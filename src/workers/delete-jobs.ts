// Removes the rows of deleted jobs, a slice in each round, so that no transaction is long.
import type { Context } from "../orchestration/context.ts";
import { removeDeleted } from "../store/deletions.ts";
import type { Worker } from "./loop.ts";

export function createJobDeletion({ store }: Context, now: () => number): Worker {
  return {
    name: "delete-jobs",
    async runOnce() {
      const wasWork = await store.write((tx) => removeDeleted(tx.db));
      return wasWork ? now() : null;
    },
    idle: async () => {},
  };
}
