// A bucket's limit as Lyceum's answers tell it to any instance, with the bucket's pause.
import { sql } from "kysely";
import { isSqlite } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";

export interface ReportedQuota {
  at: number;
  max: number | null;
  remaining: number | null;
  resetsAt: number | null;
  pausedUntil: number;
}

export interface QuotaLock {
  bucket: string;
  now: number;
  /** Waits while another instance has the lock. Otherwise the answer is null then. */
  isPatient: boolean;
}

/** Locks the bucket's row until the transaction ends. */
export async function lockQuota(
  db: Db,
  { bucket, now, isPatient }: QuotaLock,
): Promise<ReportedQuota | null> {
  const lock = isPatient ? sql`for update of quotas` : sql`for update of quotas skip locked`;
  const { rows } = await sql<{
    max_calls: number | null;
    remaining: number | null;
    resets_at: number | null;
    reported_at: number;
    until_at: number | null;
    since_at: number | null;
  }>`select max_calls, remaining, resets_at, reported_at, until_at, since_at
    from quotas left join pauses on pauses.call_group = quotas.call_group
    where quotas.call_group = ${bucket} ${isSqlite(db) ? sql`` : lock}`.execute(db);
  const [row] = rows;
  if (row === undefined) return null;
  const { until_at: until, since_at: since } = row;
  // No pause lasts longer from now than it was to last: the clock may have been set back.
  const pausedUntil = until === null ? 0 : Math.min(until, now + until - (since ?? now));
  return {
    at: row.reported_at,
    max: row.max_calls,
    remaining: row.remaining,
    resetsAt: row.resets_at,
    pausedUntil,
  };
}
