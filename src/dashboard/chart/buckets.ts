// Outcomes counted by stretches of time.

export interface Outcome {
  /** Epoch milliseconds. */
  at: number;
  isGood: boolean;
}

export interface Bucket {
  good: number;
  bad: number;
}

export const BUCKETS = 24;

/** Equal stretches from the first outcome until now. */
export function bucketsOf(outcomes: Outcome[], now: number): Bucket[] {
  const buckets = Array.from({ length: BUCKETS }, () => ({ good: 0, bad: 0 }));
  const from = outcomes.reduce((least, { at }) => Math.min(least, at), now);
  const step = Math.max(1, (now - from) / BUCKETS);
  for (const { at, isGood } of outcomes) {
    const bucket = buckets[Math.min(BUCKETS - 1, Math.max(0, Math.floor((at - from) / step)))];
    if (bucket !== undefined) bucket[isGood ? "good" : "bad"] += 1;
  }
  return buckets;
}
