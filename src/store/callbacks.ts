// Callbacks as they came: the raw body is kept, whatever it is.
import type { Selectable } from "kysely";
import type { CallbacksTable } from "./schema.ts";
import type { Db } from "./transaction.ts";

export type CallbackRow = Selectable<CallbacksTable>;

export async function insertCallback(db: Db, callback: CallbackRow): Promise<void> {
  await db.insertInto("callbacks").values(callback).execute();
}

export async function countCallbacks(db: Db, executionId: string): Promise<number> {
  const query = db.selectFrom("callbacks").select((eb) => eb.fn.countAll<number>().as("count"));
  const row = await query.where("execution_id", "=", executionId).executeTakeFirstOrThrow();
  return Number(row.count);
}

/** In the order of arrival, after the given id. */
export async function listCallbacks(
  db: Db,
  executionId: string,
  after: string,
  limit: number,
): Promise<CallbackRow[]> {
  return db
    .selectFrom("callbacks")
    .selectAll()
    .where("execution_id", "=", executionId)
    .where("id", ">", after)
    .orderBy("id")
    .limit(limit)
    .execute();
}
