// Indexes behind the filtered lists, newest first: each holds what a filter asks for in the order of the ids.
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  // A list of runs is often one key's: without the key in the row each run of others would cost a look at its job.
  await sql`alter table runs add column api_key text not null default ''`.execute(db);
  await sql`update runs set api_key = (select api_key from jobs where jobs.id = runs.job_id)`.execute(db);
  await sql`alter table runs add column error_reason text`.execute(db);
  for (const index of indexes) await sql.raw(`create index ${index}`).execute(db);
}

const indexes = [
  "jobs_by_name on jobs (name, id) where name is not null",
  "jobs_unended on jobs (id) where ended_at is null",
  "jobs_unsuccessful on jobs (id) where status in ('failed', 'cancelled')",
  "runs_by_key on runs (api_key, id)",
  "runs_unended on runs (id) where ended_at is null",
  "runs_with_error on runs (id) where error_code is not null",
  "runs_by_reason on runs (error_reason, id) where error_reason is not null",
  "callbacks_by_id on callbacks (id)",
  "callbacks_odd on callbacks (disposition, id) where disposition <> 'received'",
];
