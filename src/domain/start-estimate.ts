// Estimates the start of a queued run from its position in the queue and the limit on starts.

export interface Allowance {
  limit: { max: number; windowMs: number } | null;
  /** Starts that may go at once; null without a limit. */
  remaining: number | null;
  /** Time at which the first used-up start is available again. */
  resetsAt: number | null;
  pausedUntil: number | null;
}

/** @param position 1 for the next run to start; others may still enter the queue before it, or leave it */
export function estimateStart(position: number, allowance: Allowance, now: number): number {
  const { limit, remaining, resetsAt, pausedUntil } = allowance;
  const openAt = Math.max(now, pausedUntil ?? 0);
  if (limit === null || remaining === null || position <= remaining) return openAt;
  const windowsToWait = Math.ceil((position - remaining) / limit.max) - 1;
  return Math.max(openAt, (resetsAt ?? now) + windowsToWait * limit.windowMs);
}
