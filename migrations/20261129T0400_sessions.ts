// Sessions of the operator's page: a browser signs in with an API key and then holds a cookie.
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table sessions (
    id_hash text primary key,
    api_key text not null,
    key_proof text not null,
    expires_at bigint not null
  )`.execute(db);
  await sql`create index sessions_by_key on sessions (api_key, expires_at)`.execute(db);
}
