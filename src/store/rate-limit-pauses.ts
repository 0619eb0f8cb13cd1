// Pauses of calls to Lyceum, stored so that a restart does not forget a 429 and other instances heed it.
import type { Db } from "./db/transaction.ts";

export interface StoredPause {
  bucket: string;
  until: number;
}

/** Another instance may have been asked for a longer pause, which stands unless the clock was set back since. */
export async function savePause(db: Db, { bucket, until }: StoredPause, now: number): Promise<void> {
  const times = { until_at: until, since_at: now };
  await db
    .insertInto("pauses")
    .values({ call_group: bucket, ...times })
    .onConflict((c) =>
      c
        .column("call_group")
        .doUpdateSet(times)
        .where(({ or, eb }) =>
          or([
            eb("pauses.until_at", "<", until),
            eb("pauses.since_at", ">", now),
            eb("pauses.since_at", "is", null),
          ]),
        ),
    )
    .execute();
}

/** No pause lasts longer from now than planned, even if the clock was set back. */
export async function readPauses(db: Db, now: number): Promise<(StoredPause & { since: number | null })[]> {
  const rows = await db.selectFrom("pauses").selectAll().where("until_at", ">", now).execute();
  return rows.map(({ call_group: bucket, until_at: until, since_at: since }) => {
    return { bucket, until: since === null ? until : Math.min(until, now + until - since), since };
  });
}
