// The inbox: callbacks that are acknowledged and not filed yet. It refers to no other table, so that a callback is stored
// without a look at its execution.
import { type Kysely, SqliteAdapter, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  const isSqlite = db.getExecutor().adapter instanceof SqliteAdapter;
  await sql`create table inbox (
    id text primary key, execution_id text not null, received_at bigint not null,
    content_type text, content_encoding text, body bytea not null, truncated integer not null
  ) ${sql.raw(isSqlite ? "without rowid" : "")}`.execute(db);
}
