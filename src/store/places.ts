// Places in the limits that all instances share. A start takes one with its claim, a login or a read of the history
// right before it is sent. The place is kept until a window after the answer.
import { type RawBuilder, sql } from "kysely";
import { insertRows } from "./db/rows.ts";
import type { Db } from "./db/transaction.ts";
import { lockQuota } from "./quotas.ts";

/**
 * Lyceum may count a start so long after its claim: the client gives a start 150 s; waiting in the queue and a fresh
 * token take time, too. Other calls take less.
 */
export const MAX_START_MS = 4 * 60_000;

export interface PlaceLimits {
  limit: { max: number; windowMs: number } | null;
  /** Calls under way at once. */
  concurrency: number;
}

export interface PlaceRequest extends PlaceLimits {
  bucket: string;
  now: number;
  /** Share of the limit that is reserved for more urgent calls. */
  keptPercent?: number;
  /** Waits for other instances that count. Otherwise nothing is free then. */
  isPatient?: boolean;
}

export interface Places {
  free: number;
  nextAt: number;
}

/**
 * No other transaction counts the bucket until this one ends. Invariant: no span of `windowMs` holds more than `max`
 * calls, wherever between its place and its recorded answer Lyceum counts one.
 */
export async function lockPlaces(db: Db, request: PlaceRequest): Promise<Places> {
  const { bucket, limit, concurrency, now, keptPercent = 0, isPatient = false } = request;
  const reported = await lockQuota(db, { bucket, now, isPatient });
  // Another instance claims.
  if (reported === null) return { free: 0, nextAt: now + AFTER_OTHERS_MS };
  if (reported.pausedUntil > now) return { free: 0, nextAt: reported.pausedUntil };
  const { resetsAt, remaining } = reported;
  // Lyceum counts anew after its reset: what it counted before is over.
  const isReset = resetsAt !== null && resetsAt <= now;
  const windowMs = limit?.windowMs ?? 0;
  await deleteOver(
    db,
    bucket,
    Math.max(now, isReset ? resetsAt + windowMs : now),
    now - windowMs - MAX_START_MS,
  );
  const { used, underWay, since } = await countPlaces(db, bucket, reported.at);
  const isOpen = remaining !== null && resetsAt !== null && !isReset;
  const max = limit === null ? null : (reported.max ?? limit.max);
  const kept = Math.floor(((max ?? 0) * keptPercent) / 100);
  const ofWindow = isOpen
    ? remaining - since - kept
    : max === null
      ? Number.POSITIVE_INFINITY
      : max - kept - used;
  const free = Math.max(0, Math.min(ofWindow, concurrency - underWay));
  if (free > 0 || ofWindow > 0 || max === null) return { free, nextAt: now + RECHECK_MS };
  const skipped = used - (max - kept);
  return { free, nextAt: isOpen ? resetsAt : ((await nextFreeAt(db, bucket, skipped)) ?? now + RECHECK_MS) };
}

/** Only ends of requests under way can make room; they wake their own instance alone. */
const RECHECK_MS = 1_000;
const AFTER_OTHERS_MS = 50;

/** @param lostBefore a place taken until then is free, even if its instance died before it noted an answer */
async function deleteOver(db: Db, bucket: string, overAt: number, lostBefore: number): Promise<void> {
  await db
    .deleteFrom("places")
    .where("call_group", "=", bucket)
    .where(({ or, and, eb }) =>
      or([eb("free_at", "<=", overAt), and([eb("free_at", "is", null), eb("taken_at", "<=", lostBefore)])]),
    )
    .execute();
}

async function countPlaces(db: Db, bucket: string, since: number) {
  const countOf = (condition: RawBuilder<boolean>) =>
    sql`coalesce(sum(case when ${condition} then 1 else 0 end), 0)`;
  const { rows } = await sql<{ used: number; under_way: number; since: number }>`
    select count(*) as used, ${countOf(sql`free_at is null`)} as under_way,
      ${countOf(sql`taken_at > ${since}`)} as since
    from places where call_group = ${bucket}`.execute(db);
  const [row] = rows;
  return {
    used: Number(row?.used ?? 0),
    underWay: Number(row?.under_way ?? 0),
    since: Number(row?.since ?? 0),
  };
}

/** When so many places and one more are free, if that waits for no request under way. */
async function nextFreeAt(db: Db, bucket: string, skipped: number): Promise<number | null> {
  const query = db
    .selectFrom("places")
    .select("free_at")
    .where("call_group", "=", bucket)
    .where("free_at", "is not", null);
  return (await query.orderBy("free_at").offset(skipped).limit(1).executeTakeFirst())?.free_at ?? null;
}

export async function takePlaces(
  db: Db,
  bucket: string,
  callIds: readonly string[],
  now: number,
): Promise<void> {
  const rows = callIds.map((execution_id) => ({
    execution_id,
    call_group: bucket,
    taken_at: now,
    free_at: null,
  }));
  await insertRows(db, "places", rows);
}

/** Starts of jobs whose rows are being removed: a process that keeps the limit in memory counts them after a restart. */
export async function keepStarts(db: Db, jobIds: readonly string[], since: number): Promise<void> {
  await db.deleteFrom("places").where("taken_at", "<=", since).execute();
  await sql`insert into places (execution_id, taken_at, free_at)
    select id, submitted_at, submitted_at from executions
    where submitted_at > ${since} and job_id in (${sql.join(jobIds)}) on conflict do nothing`.execute(db);
}

/** The requests of these calls are over: their places are kept until then, or gone (null). */
export async function settlePlaces(db: Db, callIds: readonly string[], freeAt: number | null): Promise<void> {
  if (callIds.length === 0) return;
  if (freeAt === null) await db.deleteFrom("places").where("execution_id", "in", callIds).execute();
  else await db.updateTable("places").set({ free_at: freeAt }).where("execution_id", "in", callIds).execute();
}

export interface QuotaNotice {
  max: number | null;
  remaining: number | null;
  resetInMs: number | null;
}

/** To be called before the call's place is settled. */
export async function saveQuota(db: Db, bucket: string, notice: QuotaNotice, now: number): Promise<void> {
  const before = await lockQuota(db, { bucket, now, isPatient: true });
  const { underWay, since } = await countPlaces(db, bucket, before?.at ?? 0);
  const left = before?.remaining == null ? null : Math.max(before.remaining - since, 0);
  const reported = {
    max_calls: notice.max,
    remaining: left,
    resets_at: before?.resetsAt ?? null,
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
  await db.updateTable("quotas").set(reported).where("call_group", "=", bucket).execute();
}
const ODD_MS = 2_000;
/** The longest documented window. A header with a later reset would stop the calls of all instances. */
const MAX_RESET_MS = 3_600_000;
