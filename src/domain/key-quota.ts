// Quotas of API keys: how many runs a key may submit in each window and have waiting.

/** Windows are counted from 1970-01-01 UTC. */
export interface KeyQuota {
  name: string;
  /** Runs in each window. */
  runs: number;
  windowMs: number;
  waiting: number | null;
}

export interface QuotaUse {
  used: number;
  startedAt: number;
  waiting: number;
}

export interface QuotaExceeded {
  quota: KeyQuota;
  /** Which limit the submission would exceed. */
  limit: "runs" | "waiting";
  runsLeft: number;
  waitingLeft: number | null;
  windowEndsInMs: number;
}

export function windowStart(at: number, windowMs: number): number {
  return at - (at % windowMs);
}

export function quotaExceeded(
  quota: KeyQuota,
  use: QuotaUse,
  runs: number,
  now: number,
): QuotaExceeded | null {
  const runsLeft = Math.max(0, quota.runs - use.used);
  const waitingLeft = quota.waiting === null ? null : Math.max(0, quota.waiting - use.waiting);
  const limit = runs > runsLeft ? "runs" : waitingLeft !== null && runs > waitingLeft ? "waiting" : null;
  if (limit === null) return null;
  const windowEndsInMs = Math.max(0, use.startedAt + quota.windowMs - now);
  return { quota, limit, runsLeft, waitingLeft, windowEndsInMs };
}
