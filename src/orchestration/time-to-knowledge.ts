// Measures how soon ends at Lyceum become known: over the last day, across restarts.
import { bucketOf, percentile } from "../domain/delay-histogram.ts";
import type { Db, Tx } from "../store/db/transaction.ts";
import { sumSince } from "../store/stats.ts";

export interface TimeToKnowledge {
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  samples: number;
  /** From 0 to 1: within POLL_INTERVAL_MAX, as it was set then. */
  shareInTime: number;
}

/** Two clocks are compared: a skewed clock must not make the delay negative. */
export function countDelay(tx: Tx, delayMs: number, pollMaxMs: number): void {
  const delay = Math.max(0, delayMs);
  tx.count(`delay.${bucketOf(delay)}`, 1);
  if (delay <= pollMaxMs) tx.count("delay.in_time", 1);
}

export async function readTimeToKnowledge(db: Db, now: number): Promise<TimeToKnowledge | null> {
  return knowledgeOf(await sumSince(db, now - DAY_MS, DELAY));
}

/** @param counts by bucket, and `in_time` */
export function knowledgeOf(counts: ReadonlyMap<string, number>): TimeToKnowledge | null {
  const buckets = new Map<number, number>();
  for (const [name, samples] of counts) if (name !== "in_time") buckets.set(Number(name), samples);
  const samples = [...buckets.values()].reduce((sum, some) => sum + some, 0);
  const [p50Ms, p95Ms, p99Ms] = [0.5, 0.95, 0.99].map((share) => percentile(buckets, share));
  if (p50Ms == null || p95Ms == null || p99Ms == null) return null;
  return { p50Ms, p95Ms, p99Ms, samples, shareInTime: (counts.get("in_time") ?? 0) / samples };
}

export const DELAY = "delay.";
const DAY_MS = 86_400_000;
