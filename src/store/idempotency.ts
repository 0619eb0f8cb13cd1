// Idempotency keys, scoped to the API key that used them; they live as long as their job.
import type { Selectable } from "kysely";
import type { IdempotencyKeysTable } from "./schema.ts";
import { Conflict, type Db } from "./transaction.ts";

export type IdempotencyRow = Selectable<IdempotencyKeysTable>;

export async function findIdempotencyKey(
  db: Db,
  apiKey: string,
  key: string,
): Promise<IdempotencyRow | null> {
  const query = db
    .selectFrom("idempotency_keys")
    .selectAll()
    .where("api_key", "=", apiKey)
    .where("key", "=", key);
  return (await query.executeTakeFirst()) ?? null;
}

/** A key that another transaction used meanwhile fails the insert; tried again, it is found. */
export async function insertIdempotencyKey(db: Db, row: IdempotencyRow): Promise<void> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto("idempotency_keys")
    .values(row)
    .onConflict((c) => c.doNothing())
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 0n) throw new Conflict(`idempotency key of ${row.api_key} was just used`);
}
