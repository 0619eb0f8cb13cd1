// Steer: deadlines that have come, and cancellations of whole jobs that are still to be spread over their runs.
import { steer } from "../orchestration/cancel.ts";
import type { Context } from "../orchestration/context.ts";
import type { Worker } from "./loop.ts";

export function createSteer(context: Context): Worker {
  return { name: "steer", runOnce: () => steer(context), idle: async () => {} };
}
