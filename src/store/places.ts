// Places in the limits that all instances share: a start takes one with its claim, and keeps it for the window.
import { type RawBuilder, sql } from "kysely";
import { insertRows } from "./db/rows.ts";
import { isSqlite } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";

/**
 * Lyceum may count a start so long after its claim: the client gives a start 150 s; waiting in the queue and a fresh
 * token take time, too.
 */
export const MAX_START_MS = 4 * 60_000;

export interface StartLimits {
  limit: { max: number; windowMs: number } | null;
  concurrency: number;
}

export interface Places {
  free: number;
  nextAt: number;
}

/**
 * No other transaction counts until this one ends. Invariant: no span of `windowMs` holds more than `max` starts,
 * wherever between its claim and its recorded answer Lyceum counts one.
 */
export async function lockPlaces(db: Db, { limit, concurrency }: StartLimits, now: number): Promise<Places> {
  const reported = await lockQuota(db, now);
  // Another instance claims.
  if (reported === null) return { free: 0, nextAt: now + AFTER_OTHERS_MS };
  if (reported.pausedUntil > now) return { free: 0, nextAt: reported.pausedUntil };
  const { resetsAt, remaining } = reported;
  // Lyceum counts anew after its reset: what it counted before is over.
  const isReset = resetsAt !== null && resetsAt <= now;
  const overAt = Math.max(now, isReset ? resetsAt + (limit?.windowMs ?? 0) : now);
  await db.deleteFrom("places").where("free_at", "<=", overAt).execute();
  const { used, underWay, since } = await countPlaces(db, reported.at);
  const isOpen = remaining !== null && resetsAt !== null && !isReset;
  const max = limit === null ? null : (reported.max ?? limit.max);
  const ofWindow = isOpen ? remaining - since : max === null ? Number.POSITIVE_INFINITY : max - used;
  const free = Math.max(0, Math.min(ofWindow, concurrency - underWay));
  if (free > 0 || ofWindow > 0 || max === null) return { free, nextAt: now + RECHECK_MS };
  return { free, nextAt: isOpen ? resetsAt : ((await nextFreeAt(db, used - max)) ?? now + RECHECK_MS) };
}

/** Only ends of requests under way can make room; they wake their own instance alone. */
const RECHECK_MS = 1_000;
const AFTER_OTHERS_MS = 50;

interface ReportedQuota {
  at: number;
  max: number | null;
  remaining: number | null;
  resetsAt: number | null;
  pausedUntil: number;
}

async function lockQuota(db: Db, now: number): Promise<ReportedQuota | null> {
  const unlocked = isSqlite(db) ? sql`` : sql`for update of quotas skip locked`;
  const { rows } = await sql<{
    max_calls: number | null;
    remaining: number | null;
    resets_at: number | null;
    reported_at: number;
    until_at: number | null;
    since_at: number | null;
  }>`select max_calls, remaining, resets_at, reported_at, until_at, since_at
    from quotas left join pauses on pauses.call_group = quotas.call_group
    where quotas.call_group = 'execution' ${unlocked}`.execute(db);
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

async function countPlaces(db: Db, since: number) {
  const countOf = (condition: RawBuilder<boolean>) =>
    sql`coalesce(sum(case when ${condition} then 1 else 0 end), 0)`;
  const { rows } = await sql<{ used: number; under_way: number; since: number }>`
    select count(*) as used, ${countOf(sql`free_at is null`)} as under_way,
      ${countOf(sql`taken_at > ${since}`)} as since
    from places`.execute(db);
  const [row] = rows;
  return {
    used: Number(row?.used ?? 0),
    underWay: Number(row?.under_way ?? 0),
    since: Number(row?.since ?? 0),
  };
}

/** When so many places and one more are free, if that waits for no request under way. */
async function nextFreeAt(db: Db, skipped: number): Promise<number | null> {
  const query = db.selectFrom("places").select("free_at").where("free_at", "is not", null);
  return (await query.orderBy("free_at").offset(skipped).limit(1).executeTakeFirst())?.free_at ?? null;
}

export async function takePlaces(db: Db, executionIds: readonly string[], now: number): Promise<void> {
  const rows = executionIds.map((execution_id) => ({ execution_id, taken_at: now, free_at: null }));
  await insertRows(db, "places", rows);
}

/** Starts of jobs whose rows are being removed: a process that keeps the limit in memory counts them after a restart. */
export async function keepStarts(db: Db, jobIds: readonly string[], since: number): Promise<void> {
  await db.deleteFrom("places").where("taken_at", "<=", since).execute();
  await sql`insert into places (execution_id, taken_at, free_at)
    select id, submitted_at, submitted_at from executions
    where submitted_at > ${since} and job_id in (${sql.join(jobIds)}) on conflict do nothing`.execute(db);
}

/** The requests of these starts are over: their places are kept until then, or gone (null). */
export async function settlePlaces(
  db: Db,
  executionIds: readonly string[],
  freeAt: number | null,
): Promise<void> {
  if (executionIds.length === 0) return;
  if (freeAt === null) await db.deleteFrom("places").where("execution_id", "in", executionIds).execute();
  else
    await db
      .updateTable("places")
      .set({ free_at: freeAt })
      .where("execution_id", "in", executionIds)
      .execute();
}

export interface QuotaNotice {
  max: number | null;
  remaining: number | null;
  resetInMs: number | null;
}

/** To be called before the start's place is settled. */
export async function saveQuota(db: Db, notice: QuotaNotice, now: number): Promise<void> {
  const lock = isSqlite(db) ? sql`` : sql`for update`;
  const { rows } = await sql<{ remaining: number | null; resets_at: number | null; reported_at: number }>`
    select remaining, resets_at, reported_at from quotas where call_group = 'execution' ${lock}`.execute(db);
  const before = rows[0];
  const { underWay, since } = await countPlaces(db, before?.reported_at ?? 0);
  const left = before?.remaining == null ? null : Math.max(before.remaining - since, 0);
  const reported = {
    max_calls: notice.max,
    remaining: left,
    resets_at: before?.resets_at ?? null,
    reported_at: now,
  };
  const { resetInMs } = notice;
  const isUsable = resetInMs !== null && resetInMs > 0 && resetInMs <= MAX_RESET_MS;
  if (notice.remaining !== null && isUsable) {
    const resetsAt = now + resetInMs;
    // Lyceum has not counted, for sure, only the requests that are still under way; this one it has.
    const remaining = Math.max(notice.remaining - Math.max(underWay - 1, 0), 0);
    const isSameWindow =
      reported.resets_at !== null && reported.resets_at > now && resetsAt < reported.resets_at + ODD_MS;
    // Answers to several instances may be noted in another order than Lyceum gave them.
    reported.remaining = isSameWindow && left !== null ? Math.min(remaining, left) : remaining;
    reported.resets_at = resetsAt;
  }
  await db.updateTable("quotas").set(reported).where("call_group", "=", "execution").execute();
}
const ODD_MS = 2_000;
/** The longest documented window. A header with a later reset would stop the starts of all instances. */
const MAX_RESET_MS = 3_600_000;

export async function readPlaces(db: Db, { limit }: StartLimits, now: number) {
  const quota = await db
    .selectFrom("quotas")
    .selectAll()
    .where("call_group", "=", "execution")
    .executeTakeFirst();
  const isOpen = quota?.resets_at != null && quota.resets_at > now && quota.remaining !== null;
  const { rows } = await sql<{ used: number; since: number; free_at: number | null }>`
    select count(*) as used, coalesce(sum(case when taken_at > ${quota?.reported_at ?? 0} then 1 else 0 end), 0) as since,
      min(free_at) as free_at from places where free_at is null or free_at > ${now}`.execute(db);
  const used = Number(rows[0]?.used ?? 0);
  const max = limit === null ? null : (quota?.max_calls ?? limit.max);
  const ofWindow = max === null ? null : Math.max(max - used, 0);
  const pause = await db
    .selectFrom("pauses")
    .select("until_at")
    .where("call_group", "=", "execution")
    .where("until_at", ">", now)
    .executeTakeFirst();
  return {
    limit: limit === null || max === null ? null : { max, windowMs: limit.windowMs },
    used,
    remaining: isOpen ? Math.max((quota.remaining ?? 0) - Number(rows[0]?.since ?? 0), 0) : ofWindow,
    resetsAt: isOpen ? quota.resets_at : (rows[0]?.free_at ?? null),
    pausedUntil: pause?.until_at ?? null,
  };
}
