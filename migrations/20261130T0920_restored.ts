// After a restore: starts found at Lyceum that wait for their run's next attempt, and executions of runs that the restored
// database does not have.
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const text of [
    `create table found_starts (
      execution_id text primary key,
      run_id text not null references runs (id) on delete cascade,
      attempt integer not null,
      lyceum_execution_id text not null,
      raw_status text not null)`,
    `create table strays (
      execution_id text primary key,
      lyceum_execution_id text not null,
      file_name text,
      raw_status text not null,
      hardware text,
      found_at bigint not null,
      started_at bigint,
      ended_at bigint,
      cost double precision,
      cost_source text check (cost_source is null or cost_source in ('billed', 'estimated') and cost is not null),
      due_at bigint)`,
  ])
    await sql.raw(text).execute(db);
}
