// Pauses of calls to Lyceum, stored so that a restart does not forget a 429.
import type { Db } from "./db/transaction.ts";

export interface StoredPause {
  bucket: string;
  until: number;
}

export async function savePause(db: Db, { bucket, until }: StoredPause, now: number): Promise<void> {
  const times = { until_at: until, since_at: now };
  await db
    .insertInto("pauses")
    .values({ call_group: bucket, ...times })
    .onConflict((c) => c.column("call_group").doUpdateSet(times))
    .execute();
}

/** No pause lasts longer from now than planned, even if the clock was set back. */
export async function readPauses(db: Db, now: number): Promise<StoredPause[]> {
  const rows = await db.selectFrom("pauses").selectAll().where("until_at", ">", now).execute();
  return rows.map(({ call_group: bucket, until_at: until, since_at: since }) => {
    return { bucket, until: since === null ? until : Math.min(until, now + until - since) };
  });
}
