// What runs cost, the budgets that bound it, Lyceum's prices, and jobs whose records at Lyceum are to be deleted.
// Credits are kept in whole billionths (`_nano`): sums of integers do not drift.
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("executions")
    .addColumn("cost_source", "text", (c) =>
      c.check(sql`cost_source is null or cost_source in ('billed', 'estimated') and cost is not null`),
    )
    .execute();
  await sql`update executions set cost_source = 'billed' where cost is not null`.execute(db);
  await db.schema.alterTable("executions").addColumn("erased_at", "bigint").execute();

  const jobs = ["billed_nano", "estimated_nano", "unpriced"];
  for (const name of jobs) {
    await db.schema
      .alterTable("jobs")
      .addColumn(name, "bigint", (c) =>
        c
          .notNull()
          .defaultTo(0)
          .check(sql`${sql.ref(name)} >= 0`),
      )
      .execute();
  }
  await db.schema.alterTable("jobs").addColumn("budget_nano", "bigint").execute();
  await db.schema
    .alterTable("jobs")
    .addColumn("budget_reached_at", "bigint", (c) =>
      c.check(sql`budget_reached_at is null or budget_nano is not null and ready_at is null`),
    )
    .execute();
  await db.schema.alterTable("jobs").addColumn("erase_requested_at", "bigint").execute();
  await db.schema
    .alterTable("jobs")
    .addColumn("erase_at", "bigint", (c) => c.check(sql`(erase_at is null) = (erase_requested_at is null)`))
    .execute();
  await sql`create index jobs_erase on jobs (erase_at) where erase_at is not null`.execute(db);

  const keys = ["budget_nano", "budget_window_ms", "window_started_at", "window_spent_nano", "held_until"];
  for (const name of keys) await db.schema.alterTable("api_keys").addColumn(name, "bigint").execute();

  await db.schema
    .createTable("usage")
    .addColumn("day", "text", (c) => c.notNull())
    .addColumn("api_key", "text", (c) => c.notNull())
    .addColumn("executions", "bigint", (c) => c.notNull())
    .addColumn("duration_ms", "bigint", (c) => c.notNull())
    .addColumn("billed_nano", "bigint", (c) => c.notNull())
    .addColumn("estimated_nano", "bigint", (c) => c.notNull())
    .addColumn("unpriced", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("usage_pk", ["day", "api_key"])
    .execute();

  await db.schema
    .createTable("machine_types")
    .addColumn("hardware_profile", "text", (c) => c.primaryKey())
    .addColumn("price_per_hour", "double precision")
    .addColumn("available", "integer")
    .addColumn("fetched_at", "bigint", (c) => c.notNull())
    .execute();
}
