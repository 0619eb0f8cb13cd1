// How much is waiting and under way: read from small partial indexes, whatever the history.
import { sql } from "kysely";
import type { Db } from "./transaction.ts";

/** What is read now and then for the metrics: from the jobs' own counts, however many executions are alive. */
export interface Depths {
  queued: number;
  live: number;
  oldestQueuedAt: number | null;
  /** Rows that are not over and that nothing will look at: must be 0. */
  withoutWakeup: number;
}

export interface Levels extends Depths {
  collecting: number;
  inDoubt: number;
}

export async function readDepths(db: Db): Promise<Depths> {
  type Row = { queued: number | null; live: number | null; oldest: number | null; asleep: number | null };
  const { rows } = await sql<Row>`
    select sum(queued) as queued, sum(active) as live, min(case when queued > 0 then created_at end) as oldest,
      sum(case when queued > 0 and ready_at is null and cancel_mode is null
        and (budget_reached_at is null or due_at is null) and (max_parallel is null or active < max_parallel)
        then 1 else 0 end) as asleep
    from jobs where queued + active + collecting > 0`.execute(db);
  const [row] = rows;
  return {
    queued: Number(row?.queued ?? 0),
    live: Number(row?.live ?? 0),
    oldestQueuedAt: row?.oldest ?? null,
    withoutWakeup: Number(row?.asleep ?? 0),
  };
}

export async function readLevels(db: Db): Promise<Levels> {
  const depths = await readDepths(db);
  const collecting = await sql<{ count: number }>`
    select count(*) as count from executions where phase = 'collecting'`.execute(db);
  const inDoubt = await sql<{ count: number }>`
    select count(*) as count from executions
    where phase in ('submitting', 'watching', 'orphan') and phase = 'submitting' and in_doubt_at is not null`.execute(
    db,
  );
  return {
    ...depths,
    collecting: Number(collecting.rows[0]?.count ?? 0),
    inDoubt: Number(inDoubt.rows[0]?.count ?? 0),
  };
}
