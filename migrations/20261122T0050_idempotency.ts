// An idempotency key belongs to one job and lives as long: it stands with the job, which saves each submission a table
// with its index.
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("jobs").addColumn("idempotency_key", "text").execute();
  await db.schema
    .alterTable("jobs")
    .addColumn("body_hash", "text", (c) => c.check(sql`(body_hash is null) = (idempotency_key is null)`))
    .execute();
  await sql`
    update jobs set idempotency_key = k.key, body_hash = k.body_hash
    from idempotency_keys k where k.job_id = jobs.id`.execute(db);
  await sql`
    create unique index jobs_idempotency on jobs (api_key, idempotency_key)
    where idempotency_key is not null`.execute(db);
  await db.schema.dropTable("idempotency_keys").execute();
}
