// Levels of the limits that all instances share, for status and metrics.
import { sql } from "kysely";
import type { Db } from "./db/transaction.ts";

/** Times are epoch ms. */
export interface PlaceLevel {
  limit: { max: number; windowMs: number } | null;
  used: number;
  remaining: number | null;
  resetsAt: number | null;
  pausedUntil: number | null;
}

interface Row {
  bucket: string;
  max_calls: number | null;
  remaining: number | null;
  resets_at: number | null;
  until_at: number | null;
  used: number;
  since: number;
  free_at: number | null;
}

/** @param limits by bucket; null: no limit */
export async function readPlaces<B extends string>(
  db: Db,
  limits: Record<B, PlaceLevel["limit"]>,
  now: number,
): Promise<Record<B, PlaceLevel>> {
  const { rows } = await sql<Row>`
    select quotas.call_group as bucket, max(max_calls) as max_calls, max(remaining) as remaining,
      max(resets_at) as resets_at, max(until_at) as until_at, count(execution_id) as used, min(free_at) as free_at,
      coalesce(sum(case when taken_at > reported_at then 1 else 0 end), 0) as since
    from quotas left join pauses on pauses.call_group = quotas.call_group
      left join places on places.call_group = quotas.call_group and (free_at is null or free_at > ${now})
    group by quotas.call_group`.execute(db);
  const levels = Object.entries<PlaceLevel["limit"]>(limits).map(([bucket, limit]) => {
    const row = rows.find((found) => found.bucket === bucket);
    return [bucket, levelOf(row, limit, now)];
  });
  return Object.fromEntries(levels);
}

function levelOf(row: Row | undefined, limit: PlaceLevel["limit"], now: number): PlaceLevel {
  if (row === undefined) return { limit, used: 0, remaining: null, resetsAt: null, pausedUntil: null };
  const { max_calls, remaining, resets_at, until_at, free_at } = row;
  const used = Number(row.used);
  const max = limit === null ? null : (max_calls ?? limit.max);
  const isOpen = resets_at !== null && resets_at > now && remaining !== null;
  const ofWindow = max === null ? null : Math.max(max - used, 0);
  return {
    limit: limit === null || max === null ? null : { max, windowMs: limit.windowMs },
    used,
    remaining: isOpen ? Math.max(remaining - Number(row.since), 0) : ofWindow,
    resetsAt: isOpen ? resets_at : free_at,
    pausedUntil: until_at !== null && until_at > now ? until_at : null,
  };
}
