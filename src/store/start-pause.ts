// The pause of all starts, stored so that a restart during an outage does not begin with a burst of starts.
import type { PauseReason, StartPause } from "../domain/start-pause.ts";
import type { Db } from "./db/transaction.ts";

/** @param pause null ends the pause */
export async function saveStartPause(db: Db, pause: StartPause | null, now: number): Promise<void> {
  if (pause === null) return void (await db.deleteFrom("start_pause").execute());
  const { reason, detail, since, failures, probeAt } = pause;
  const row = { reason, detail, failures, since_at: since, saved_at: now, probe_at: probeAt };
  await db
    .insertInto("start_pause")
    .values({ id: 1, ...row })
    .onConflict((conflict) => conflict.column("id").doUpdateSet(row))
    .execute();
}

/** The next probe is never further away than when the pause was saved, even if the clock was set back. */
export async function readStartPause(db: Db, now: number): Promise<StartPause | null> {
  const row = await db.selectFrom("start_pause").selectAll().executeTakeFirst();
  if (row === undefined) return null;
  const { detail, since_at: since, failures } = row;
  const probeAt = Math.min(row.probe_at, now + row.probe_at - row.saved_at);
  return { reason: row.reason as PauseReason, detail, since, failures, probeAt };
}
