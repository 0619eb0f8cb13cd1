// Idempotency keys, those of deleted jobs included: a deleted key must not start, and charge, the same job again.
import { sql } from "kysely";
import { statementForRows, valuesTable } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";

export interface UsedKey {
  api_key: string;
  idempotency_key: string;
  /** Null: its job is deleted. */
  job_id: string | null;
}

/** The used ones: a job has the key, or had it before its deletion. */
export const findUsedKeys = statementForRows<readonly [apiKey: string, key: string], UsedKey>((db, keys) => {
  const asked = sql`(api_key, idempotency_key) in (select * from asked)`;
  return sql<UsedKey>`with asked as ${valuesTable(db, ["text", "text"], keys.length)}
    select api_key, idempotency_key, id as job_id from jobs
    where idempotency_key is not null and ${asked}
    union all select api_key, idempotency_key, null from deleted_keys where ${asked}`;
});

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
