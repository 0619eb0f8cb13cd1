// The order in which calls to Lyceum go, the groups in which Lyceum limits them, and the limits as documented.
import type { Limit } from "./sliding-window.ts";

export type Bucket = "execution" | "read" | "billing" | "auth";
export type Priority = keyof typeof priorities;

/**
 * From the most to the least urgent. `keptPercent` of a limit is closed to a lane, so that what is more urgent still
 * goes when the rest has spent its part.
 */
export const priorities = {
  cancel: { priority: 5, keptPercent: 0 },
  submit: { priority: 4, keptPercent: 0 },
  confirm: { priority: 3, keptPercent: 5 },
  overdue: { priority: 2, keptPercent: 10 },
  routine: { priority: 1, keptPercent: 20 },
  collect: { priority: 0, keptPercent: 30 },
};

export const buckets: Bucket[] = ["execution", "read", "billing", "auth"];

/** [introduction, 2025]; later editions are silent. Whether reads count as executions is not documented. */
export const documentedLimits: Record<Bucket, Limit | null> = {
  execution: { max: 100, windowMs: 3_600_000 },
  read: null,
  billing: { max: 100, windowMs: 3_600_000 },
  auth: { max: 10, windowMs: 60_000 },
};

export const usualConcurrency: Record<Bucket, number> = { execution: 8, read: 32, billing: 2, auth: 1 };
/** Cancellations have places of their own: slow reads must not keep a run that costs money alive. */
export const CANCEL_CONCURRENCY = 4;

/** The two lanes that are worth trying whatever the others met: the one saves money, the other has its own pace. */
export function isHeldByBreaker(lane: Priority): boolean {
  return lane !== "cancel" && lane !== "submit";
}
