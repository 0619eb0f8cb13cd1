// The order in which calls to Lyceum go, the groups in which Lyceum limits them, and the limits as documented.
import type { Limit } from "./window.ts";

export type Group = "execution" | "read" | "billing" | "auth";
export type Lane = keyof typeof lanes;

/**
 * From the most to the least urgent. `share` is the part of a limit that a lane may use up, so that what is urgent
 * still goes when the rest has spent its part.
 */
export const lanes = {
  cancel: { priority: 5, share: 1 },
  submit: { priority: 4, share: 1 },
  confirm: { priority: 3, share: 0.95 },
  overdue: { priority: 2, share: 0.9 },
  routine: { priority: 1, share: 0.8 },
  collect: { priority: 0, share: 0.7 },
};

export const groups: Group[] = ["execution", "read", "billing", "auth"];

/** [introduction, 2025]; later editions are silent. Whether reads count as executions is not documented. */
export const documentedLimits: Record<Group, Limit | null> = {
  execution: { max: 100, windowMs: 3_600_000 },
  read: null,
  billing: { max: 100, windowMs: 3_600_000 },
  auth: { max: 10, windowMs: 60_000 },
};

export const usualConcurrency: Record<Group, number> = { execution: 8, read: 8, billing: 2, auth: 1 };
/** Cancellations have places of their own: slow reads must not keep a run that costs money alive. */
export const CANCEL_CONCURRENCY = 4;

/** The two lanes that are worth trying whatever the others met: the one saves money, the other has its own pace. */
export function heedsBreaker(lane: Lane): boolean {
  return lane !== "cancel" && lane !== "submit";
}
