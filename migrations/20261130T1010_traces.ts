// The trace of a job, as a `traceparent` header of W3C Trace Context; null for jobs without one.
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table jobs add column traceparent text`.execute(db);
}
