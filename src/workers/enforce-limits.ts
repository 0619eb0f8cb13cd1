// Steer: jobs that need a hand, whenever one is due.

import type { Context } from "../orchestration/context.ts";
import { steer } from "../orchestration/enforce-limits.ts";
import type { Worker } from "./loop.ts";

export function createEnforcer(context: Context): Worker {
  return { name: "steer", runOnce: () => steer(context), idle: async () => {} };
}
