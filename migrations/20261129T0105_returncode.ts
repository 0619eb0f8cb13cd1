// Exit statuses of Windows are unsigned: 32 bits do not fit into PostgreSQL's integer. SQLite's takes 64.
import { type Kysely, SqliteAdapter } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  if (db.getExecutor().adapter instanceof SqliteAdapter) return;
  await db.schema
    .alterTable("executions")
    .alterColumn("return_code", (c) => c.setDataType("bigint"))
    .execute();
}
