// Idempotency keys of deleted jobs. A deleted key must not start, and charge, the same job again.
import { type Selectable, sql } from "kysely";
import type { DeletedKeysTable } from "./db/schema.ts";
import { statementForRows } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";

type DeletedKey = Pick<Selectable<DeletedKeysTable>, "api_key" | "idempotency_key">;

export const findDeletedKeys = statementForRows<readonly [apiKey: string, key: string], DeletedKey>(
  (_db, keys) => {
    return sql<DeletedKey>`select api_key, idempotency_key from deleted_keys
    where (api_key, idempotency_key) in (values ${sql.join(keys.map(([apiKey, key]) => sql`(${apiKey}, ${key})`))})`;
  },
);

export async function insertDeletedKey(db: Db, apiKey: string, key: string, now: number): Promise<void> {
  await db
    .insertInto("deleted_keys")
    .values({ api_key: apiKey, idempotency_key: key, deleted_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function deleteKeysBefore(db: Db, deletedBefore: number): Promise<void> {
  await db.deleteFrom("deleted_keys").where("deleted_at", "<", deletedBefore).execute();
}
