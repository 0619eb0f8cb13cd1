// The wait before another attempt: exponential with full jitter, so that runs that failed together are spread.
import { exponentialMs } from "../../lib/backoff.ts";

const FIRST_MS = 5_000;
const MAX_MS = 10 * 60_000;

/** @param attempt executions so far, 1 or more. @param random in [0, 1). Milliseconds, at least one second. */
export function backoffMs(attempt: number, random: number): number {
  const ceiling = exponentialMs(attempt, { firstMs: FIRST_MS, maxMs: MAX_MS });
  return Math.round(1_000 + random * (ceiling - 1_000));
}
