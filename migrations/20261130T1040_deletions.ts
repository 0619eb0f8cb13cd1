// Jobs whose deletion is under way, and indexes by which a job is found deletable without a look at each of its runs.
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  const isEnded = "deleted_at is null or ended_at is not null";
  await sql.raw(`alter table jobs add column deleted_at bigint check (${isEnded})`).execute(db);
  for (const index of indexes) await sql.raw(`create index ${index}`).execute(db);
}

const indexes = [
  "jobs_deleted on jobs (deleted_at, id) where deleted_at is not null",
  "runs_retrying on runs (job_id) where retry_of is not null",
  "executions_unsettled on executions (job_id) where phase in ('collecting', 'orphan')",
];
