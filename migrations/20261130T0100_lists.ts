// Indexes behind the filtered lists, newest first: each holds what a filter asks for in the order of the ids.
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table runs add column error_reason text`.execute(db);
  await sql`create index callbacks_by_id on callbacks (id)`.execute(db);
  await sql`create index callbacks_odd on callbacks (disposition, id) where disposition <> 'received'`.execute(
    db,
  );
}
