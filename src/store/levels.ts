// How much is waiting and under way: read from small partial indexes, whatever the history.
import { sql } from "kysely";
import type { Db } from "./transaction.ts";

export interface Levels {
  queued: number;
  live: number;
  collecting: number;
  inDoubt: number;
  oldestQueuedAt: number | null;
  /** Rows that are not over and that nothing will look at: must be 0. */
  withoutWakeup: number;
}

export async function readLevels(db: Db): Promise<Levels> {
  const jobs = await sql<{ queued: number | null; oldest: number | null }>`
    select sum(queued) as queued, min(case when queued > 0 then created_at end) as oldest
    from jobs where queued + active + collecting > 0`.execute(db);
  const open = await sql<{ phase: string; doubt: number; count: number }>`
    select phase, case when in_doubt_at is null then 0 else 1 end as doubt, count(*) as count
    from executions where phase in ('submitting', 'watching', 'orphan') and due_at is not null
    group by 1, 2`.execute(db);
  const collecting = await sql<{ count: number }>`
    select count(*) as count from executions where phase = 'collecting'`.execute(db);
  const asleep = await sql<{ count: number }>`
    select count(*) as count from jobs
    where queued > 0 and ready_at is null and cancel_mode is null
      and (budget_reached_at is null or due_at is null) and (max_parallel is null or active < max_parallel)
      and queued + active + collecting > 0`.execute(db);
  const count = (wanted: (row: { phase: string; doubt: number }) => boolean) =>
    open.rows.filter(wanted).reduce((sum, row) => sum + Number(row.count), 0);
  return {
    queued: Number(jobs.rows[0]?.queued ?? 0),
    live: count((row) => row.phase !== "orphan"),
    collecting: Number(collecting.rows[0]?.count ?? 0),
    inDoubt: count((row) => row.phase === "submitting" && Number(row.doubt) === 1),
    oldestQueuedAt: jobs.rows[0]?.oldest ?? null,
    withoutWakeup: Number(asleep.rows[0]?.count ?? 0),
  };
}
