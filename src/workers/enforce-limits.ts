// Enforces deadlines, budgets and cancellations of jobs when they come due.

import type { Context } from "../orchestration/context.ts";
import { enforceLimits } from "../orchestration/enforce-limits.ts";
import type { Worker } from "./loop.ts";

export function createEnforcer(context: Context): Worker {
  return { name: "enforce-limits", runOnce: () => enforceLimits(context), idle: async () => {} };
}
