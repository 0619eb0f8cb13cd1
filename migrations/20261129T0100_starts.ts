// Starts in bad weather: why one is in doubt, which execution is the run's last again if one never comes to be, whose an
// id of Lyceum's already is, and the pause of all starts, which a restart must not forget.
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("executions")
    .addColumn("doubt", "text", (c) => c.check(sql`doubt in ('unanswered', 'unavailable')`))
    .execute();
  await db.schema.alterTable("executions").addColumn("previous_id", "text").execute();
  await sql`update executions set doubt = 'unanswered' where in_doubt_at is not null`.execute(db);
  await sql`
    update executions set previous_id = (
      select max(id) from executions before
      where before.run_id = executions.run_id and before.attempt < executions.attempt)
    where phase = 'submitting'`.execute(db);
  await sql`
    create index executions_lyceum_id on executions (lyceum_execution_id)
    where lyceum_execution_id is not null`.execute(db);

  await db.schema
    .createTable("start_pause")
    .addColumn("id", "integer", (c) => c.primaryKey().check(sql`id = 1`))
    .addColumn("reason", "text", (c) => c.notNull())
    .addColumn("detail", "text", (c) => c.notNull())
    .addColumn("since_at", "bigint", (c) => c.notNull())
    .addColumn("failures", "integer", (c) => c.notNull())
    .addColumn("saved_at", "bigint", (c) => c.notNull())
    .addColumn("probe_at", "bigint", (c) => c.notNull())
    .execute();
}
