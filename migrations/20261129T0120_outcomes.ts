// A run's outcome is known with its end, before its artifacts are in.
import { type Kysely, sql } from "kysely";

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("runs")
    .addColumn("outcome", "text", (c) => c.check(sql`outcome in ('succeeded', 'failed', 'cancelled')`))
    .execute();
  await sql`update runs set outcome = status where status in ('succeeded', 'failed', 'cancelled')`.execute(
    db,
  );
  await fillCollecting(db);
  await sql`
    alter table runs add constraint runs_status_fits_outcome check (
      (outcome is null) = (status in ('queued', 'active'))
      and (outcome = status or status in ('queued', 'active', 'collecting'))
    )`.execute(db);
}

/** The error's code follows from how the last execution ended and why the run was cancelled; the outcome follows from the code. */
async function fillCollecting(db: Kysely<unknown>): Promise<void> {
  const ofLast = (value: string) =>
    sql`(select ${sql.raw(value)} from executions e where e.id = runs.execution_id)`;
  await sql`
    update runs set
      error_code = ${ofLast(`case
        when e.status = 'completed' then null
        when cancel_cause = 'deadline' then 'deadline_exceeded'
        when cancel_cause = 'expired' then 'expired'
        when e.status in ('cancelled', 'aborted') and (cancel_cause is not null or e.timed_out = 0) then 'cancelled'
        when e.timed_out = 1 then 'timeout'
        else e.status end`)},
      error_detail = ${ofLast("case when e.status <> 'completed' then coalesce(e.error, e.raw_status, e.status) end")}
    where status = 'collecting'`.execute(db);
  await sql`
    update runs set outcome = case
      when error_code is null then 'succeeded' when error_code = 'cancelled' then 'cancelled' else 'failed' end
    where status = 'collecting'`.execute(db);
}
