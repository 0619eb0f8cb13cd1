// The use of quotas is kept with the submissions: neither a restart nor a deleted job gives any of it back.
import { sql } from "kysely";
import { type KeyQuota, type QuotaUse, windowStart } from "../domain/key-quota.ts";
import { statement } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";

/** The key's row stays locked until the transaction ends, so the use stays true. */
export async function lockQuotaUse(db: Db, { name, windowMs }: KeyQuota, now: number): Promise<QuotaUse> {
  const startedAt = windowStart(now, windowMs);
  const [row] = (await addToWindow(db, { name, startedAt, runs: 0 })).rows;
  if (row === undefined) throw new Error(`the quota of ${name} was not counted`);
  const [queued] = (await sumQueued(db, { name })).rows;
  return { used: row.quota_used ?? 0, startedAt, waiting: Number(queued?.waiting ?? 0) };
}

export async function addToQuota(
  db: Db,
  { name, windowMs }: KeyQuota,
  now: number,
  runs: number,
): Promise<void> {
  await addToWindow(db, { name, startedAt: windowStart(now, windowMs), runs });
}

/** A window that began later is kept: it was counted under a setting with shorter windows, or by a clock that was ahead. */
const addToWindow = statement<
  { name: string; startedAt: number; runs: number },
  { quota_used: number | null }
>((db, { name, startedAt, runs }) => {
  const isSame = sql<boolean>`api_keys.quota_started_at >= excluded.quota_started_at`;
  return db
    .insertInto("api_keys")
    .values({ name, last_served_seq: sql.lit(0), quota_started_at: startedAt, quota_used: runs })
    .onConflict((c) =>
      c.column("name").doUpdateSet({
        quota_used: sql<number>`excluded.quota_used + case when ${isSame} then api_keys.quota_used else 0 end`,
        quota_started_at: sql<number>`case when ${isSame} then api_keys.quota_started_at else excluded.quota_started_at end`,
      }),
    )
    .returning("quota_used");
});

const sumQueued = statement<{ name: string }, { waiting: number | string | null }>((db, { name }) =>
  db
    .selectFrom("jobs")
    .select(({ fn }) => fn.sum("queued").as("waiting"))
    .where("api_key", "=", name)
    .where("queued", ">", sql.lit(0)),
);
