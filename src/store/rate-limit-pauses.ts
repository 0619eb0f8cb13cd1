// Pauses of calls to Lyceum, stored so that a restart does not forget a 429.
import type { Db } from "./db/transaction.ts";

export interface StoredPause {
  group: string;
  /** Epoch ms. */
  until: number;
}

export async function savePause(db: Db, { group, until }: StoredPause, now: number): Promise<void> {
  const times = { until_at: until, since_at: now };
  await db
    .insertInto("pauses")
    .values({ call_group: group, ...times })
    .onConflict((c) => c.column("call_group").doUpdateSet(times))
    .execute();
}

/** Reads open pauses. None lasts longer from now than planned, even if the clock was set back. */
export async function readPauses(db: Db, now: number): Promise<StoredPause[]> {
  const rows = await db.selectFrom("pauses").selectAll().where("until_at", ">", now).execute();
  return rows.map(({ call_group: group, until_at: until, since_at: since }) => {
    return { group, until: since === null ? until : Math.min(until, now + until - since) };
  });
}
