// Places in the limits on logins and the history, beside those on starts: several instances keep all of them together.
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table places add column call_group text not null default 'execution'`.execute(db);
  await sql`insert into quotas (call_group, reported_at) values ('auth', 0), ('billing', 0)`.execute(db);
}
