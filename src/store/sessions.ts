// Sessions of the operator's page, by the hash of their id.
import type { Selectable } from "kysely";
import type { SessionsTable } from "./db/schema-service.ts";
import type { Db } from "./db/transaction.ts";

export type SessionRow = Selectable<SessionsTable>;

/** Removes expired sessions, and all but the newest `max` of the key. */
export async function insertSession(db: Db, session: SessionRow, now: number, max: number): Promise<void> {
  await db.insertInto("sessions").values(session).execute();
  await db.deleteFrom("sessions").where("expires_at", "<=", now).execute();
  const surplus = await db
    .selectFrom("sessions")
    .select("id_hash")
    .where("api_key", "=", session.api_key)
    .orderBy("expires_at", "desc")
    .offset(max)
    .limit(max)
    .execute();
  for (const { id_hash } of surplus) await deleteSession(db, id_hash);
}

export function findSession(db: Db, idHash: string): Promise<SessionRow | undefined> {
  return db.selectFrom("sessions").selectAll().where("id_hash", "=", idHash).executeTakeFirst();
}

export async function deleteSession(db: Db, idHash: string): Promise<void> {
  await db.deleteFrom("sessions").where("id_hash", "=", idHash).execute();
}
