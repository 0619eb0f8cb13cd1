// When a queued run will probably start: from its place in the queue and the limit on starts.

/** What the limit on starts grants just now. Times are epoch milliseconds. */
export interface Allowance {
  limit: { max: number; windowMs: number } | null;
  /** Starts that may go at once; null where there is no limit. */
  remaining: number | null;
  /** When used-up starts begin to come back. */
  resetsAt: number | null;
  pausedUntil: number | null;
}

/** @param position 1 for the next run to start. An estimate: others may still push in before or leave the queue. */
export function estimateStart(position: number, allowance: Allowance, now: number): number {
  const { limit, remaining, resetsAt, pausedUntil } = allowance;
  const openAt = Math.max(now, pausedUntil ?? 0);
  if (limit === null || remaining === null || position <= remaining) return openAt;
  const windowsToWait = Math.ceil((position - remaining) / limit.max) - 1;
  return Math.max(openAt, (resetsAt ?? now) + windowsToWait * limit.windowMs);
}
