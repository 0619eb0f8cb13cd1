// A callback's body may be compressed: what its header says of that is kept with it.
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table callbacks add column content_encoding text`.execute(db);
}
