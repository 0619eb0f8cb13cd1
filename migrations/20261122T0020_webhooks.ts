// Webhooks and their deliveries. A delivery holds all that is sent, so that it outlives the job that it tells of.
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("jobs").addColumn("webhook_url", "text").execute();

  await db.schema
    .createTable("webhooks")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("api_key", "text", (c) => c.notNull())
    .addColumn("all_jobs", "integer", (c) => c.notNull())
    .addColumn("url", "text", (c) => c.notNull())
    .addColumn("types", "text", (c) => c.notNull())
    .addColumn("secrets", "text", (c) => c.notNull())
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("failing_since", "bigint")
    .addColumn("disabled_at", "bigint")
    .addColumn("disabled_reason", "text", (c) => c.check(sql`disabled_reason in ('exhausted', 'gone')`))
    .addCheckConstraint(
      "webhooks_reason_iff_disabled",
      sql`(disabled_reason is not null) = (disabled_at is not null)`,
    )
    .execute();
  await sql`create index webhooks_enabled on webhooks (id) where disabled_at is null`.execute(db);

  await db.schema
    .createTable("deliveries")
    .addColumn("id", "text", (c) => c.primaryKey())
    .addColumn("webhook_id", "text", (c) => c.references("webhooks.id").onDelete("cascade"))
    .addColumn("lane", "text", (c) => c.notNull())
    .addColumn("url", "text", (c) => c.notNull())
    .addColumn("job_id", "text", (c) => c.notNull())
    .addColumn("event_id", "text", (c) => c.notNull())
    .addColumn("type", "text", (c) => c.notNull())
    .addColumn("payload", "text", (c) => c.notNull())
    .addColumn("state", "text", (c) => c.notNull().check(sql`state in ('pending', 'delivered', 'failed')`))
    .addColumn("reason", "text", (c) => c.check(sql`reason in ('exhausted', 'gone', 'webhook_disabled')`))
    .addColumn("due_at", "bigint")
    .addColumn("attempts", "integer", (c) => c.notNull())
    .addColumn("first_tried_at", "bigint")
    .addColumn("log", "text", (c) => c.notNull())
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("ended_at", "bigint")
    .addCheckConstraint("deliveries_due_iff_pending", sql`(due_at is not null) = (state = 'pending')`)
    .addCheckConstraint("deliveries_ended_iff_over", sql`(ended_at is not null) = (state <> 'pending')`)
    .addCheckConstraint("deliveries_reason_iff_failed", sql`(reason is not null) = (state = 'failed')`)
    .execute();
  await sql`create index deliveries_lane on deliveries (lane, due_at, id) where due_at is not null`.execute(
    db,
  );
  await sql`create index deliveries_ended on deliveries (ended_at) where ended_at is not null`.execute(db);
  await sql`create index deliveries_webhook on deliveries (webhook_id, id)`.execute(db);
  await sql`create index deliveries_job on deliveries (job_id, id)`.execute(db);
}
