// Since when a pause is: how long it lasts is then known whatever becomes of the clock.
import type { Kysely } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("pauses").addColumn("since_at", "bigint").execute();
}
