// Idempotency keys outlive the jobs that callers delete.
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table deleted_keys (
    api_key text not null,
    idempotency_key text not null,
    deleted_at bigint not null,
    primary key (api_key, idempotency_key)
  )`.execute(db);
  await sql`create index deleted_keys_by_time on deleted_keys (deleted_at)`.execute(db);
}
