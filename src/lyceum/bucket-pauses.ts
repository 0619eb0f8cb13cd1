// Pauses of the buckets after a 429: as long as Lyceum asks for, else by backoff.
import { exponentialMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { type Bucket, isBucket, perBucket } from "./priorities.ts";
import { type LimitNotice, MAX_PAUSE_MS } from "./rate-limit-headers.ts";

export interface Pause {
  bucket: Bucket;
  /** Epoch ms. */
  until: number;
}

const MIN_PAUSE_MS = 1_000;
/** The longest pause after a 429 without a readable time. */
const MAX_BACKOFF_MS = 60_000;

/** Times within are monotonic. @param random 0 to 1, for jitter */
export function createBucketPauses(clock: Clock, random: () => number) {
  const pausedUntil = perBucket(() => Number.NEGATIVE_INFINITY);
  const consecutive429s = perBucket(() => 0);
  const listeners = new Set<(pause: Pause) => void>();

  /** Takes the status of an answer. Returns the bucket's pause in ms: above 0 only on 429. */
  function answered(bucket: Bucket, status: number, notice: LimitNotice): number {
    if (status !== 429) {
      consecutive429s[bucket] = 0;
      return 0;
    }
    // Concurrent calls meet the same limit: only the first 429 lengthens the pause.
    if (clock.monotonic() >= pausedUntil[bucket]) consecutive429s[bucket] += 1;
    const backoffMs = exponentialMs(consecutive429s[bucket], {
      firstMs: MIN_PAUSE_MS,
      maxMs: MAX_BACKOFF_MS,
    });
    const leastMs = Math.max(requestedPauseMs(notice) || backoffMs, MIN_PAUSE_MS);
    return pause(bucket, Math.min(leastMs + random() * Math.max(leastMs / 10, MIN_PAUSE_MS), MAX_PAUSE_MS));
  }

  function pause(bucket: Bucket, ms: number): number {
    const now = clock.monotonic();
    pausedUntil[bucket] = Math.max(pausedUntil[bucket], now + ms);
    const leftMs = Math.ceil(pausedUntil[bucket] - now);
    for (const listener of listeners) listener({ bucket, until: clock.now() + leftMs });
    return leftMs;
  }

  /** A pause begins or grows. Returns the function that unsubscribes. */
  function onPause(listener: (pause: Pause) => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Continues the pauses of another process, or of a former one. */
  function heed(pauses: { bucket: string; until: number }[]): void {
    const wall = clock.now();
    const now = clock.monotonic();
    for (const { bucket, until } of pauses)
      if (isBucket(bucket))
        pausedUntil[bucket] = Math.max(pausedUntil[bucket], now + Math.min(until - wall, MAX_PAUSE_MS));
  }

  return { answered, onPause, heed, until: (bucket: Bucket) => pausedUntil[bucket] };
}

/** `Retry-After` comes first, unless only the reset is plausible. Null if neither can be read. */
function requestedPauseMs({ retryAfterMs, resetInMs }: LimitNotice): number | null {
  const isWrong = retryAfterMs === null || retryAfterMs > MAX_PAUSE_MS;
  return isWrong && resetInMs !== null && resetInMs <= MAX_PAUSE_MS ? resetInMs : (retryAfterMs ?? resetInMs);
}
