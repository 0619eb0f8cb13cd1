// Adds the URL at which Lyceum streams an execution's live output.
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table executions add column streaming_url text`.execute(db);
}
