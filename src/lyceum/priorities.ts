// The priorities of calls to Lyceum, the buckets in which Lyceum limits them, and the documented limits.
import type { Limit } from "./sliding-window.ts";

export type Bucket = "execution" | "read" | "billing" | "auth";
export type Priority = keyof typeof priorities;

/** From the most to the least urgent. `keptPercent` of a limit is reserved for more urgent calls. */
export const priorities = {
  cancel: { priority: 5, keptPercent: 0 },
  submit: { priority: 4, keptPercent: 0 },
  confirm: { priority: 3, keptPercent: 5 },
  overdue: { priority: 2, keptPercent: 10 },
  routine: { priority: 1, keptPercent: 20 },
  collect: { priority: 0, keptPercent: 30 },
  live: { priority: -1, keptPercent: 50 },
};

const buckets: Bucket[] = ["execution", "read", "billing", "auth"];

export function perBucket<T>(make: (bucket: Bucket) => T): Record<Bucket, T> {
  return Object.fromEntries(buckets.map((bucket) => [bucket, make(bucket)])) as Record<Bucket, T>;
}

export function isBucket(text: string): text is Bucket {
  return (buckets as string[]).includes(text);
}

/** [introduction, 2025]; later editions name no limits. It is not documented if reads count as executions. */
export const documentedLimits: Record<Bucket, Limit | null> = {
  execution: { max: 100, windowMs: 3_600_000 },
  read: null,
  billing: { max: 100, windowMs: 3_600_000 },
  auth: { max: 10, windowMs: 60_000 },
};

export const usualConcurrency: Record<Bucket, number> = { execution: 8, read: 32, billing: 2, auth: 1 };
/** Cancellations have a queue of their own: slow reads must not keep a run alive that costs money. */
export const CANCEL_CONCURRENCY = 4;

/** Two priorities ignore the breaker: cancellations save money, and submissions have a gate of their own. */
export function isBlockedByBreaker(priority: Priority): boolean {
  return priority !== "cancel" && priority !== "submit";
}
