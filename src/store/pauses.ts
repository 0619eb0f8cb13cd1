// Pauses of groups of calls to Lyceum, kept so that a restart does not forget a 429.
import type { Db } from "./transaction.ts";

export async function savePause(db: Db, group: string, untilAt: number): Promise<void> {
  await db
    .insertInto("pauses")
    .values({ call_group: group, until_at: untilAt })
    .onConflict((c) => c.column("call_group").doUpdateSet({ until_at: untilAt }))
    .execute();
}

export async function readPauses(db: Db, now: number): Promise<{ call_group: string; until_at: number }[]> {
  return db.selectFrom("pauses").selectAll().where("until_at", ">", now).execute();
}
