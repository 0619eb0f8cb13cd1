// Idempotency keys, scoped to the API key that used them; they live as long as their job.
import { type Selectable, sql } from "kysely";
import type { IdempotencyKeysTable } from "./schema.ts";
import { insertRows, statementOn } from "./statements.ts";
import { Conflict, type Db } from "./transaction.ts";

export type IdempotencyRow = Selectable<IdempotencyKeysTable>;

/** Those of these keys that were used before. */
export const findIdempotencyKeys = statementOn<readonly [apiKey: string, key: string], IdempotencyRow>(
  (db, keys) => {
    const query = sql<IdempotencyRow>`select * from idempotency_keys where (api_key, key) in (values ${sql.join(
      keys.map(([apiKey, key]) => sql`(${apiKey}, ${key})`),
    )})`;
    return { compile: () => query.compile(db) };
  },
);

/** A key that another transaction used meanwhile fails the insert; tried again, it is found. */
export async function insertIdempotencyKeys(db: Db, rows: IdempotencyRow[]): Promise<void> {
  const inserted = await insertRows(db, "idempotency_keys", rows, "skip");
  if (inserted < rows.length) throw new Conflict("an idempotency key was just used");
}
