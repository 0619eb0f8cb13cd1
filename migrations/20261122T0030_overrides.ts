// A run may have a retry policy of its own: kept with its entry of the submission, for all runs of its matrix.
import type { Kysely } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("specs").addColumn("policy", "text").execute();
}
