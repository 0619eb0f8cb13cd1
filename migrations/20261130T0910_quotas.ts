// Quotas of API keys: the runs that a key submitted in its present window, and an index behind those that wait.
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const text of [
    "alter table api_keys add column quota_started_at bigint",
    "alter table api_keys add column quota_used bigint",
    "create index jobs_waiting on jobs (api_key) where queued > 0",
  ])
    await sql.raw(text).execute(db);
}
