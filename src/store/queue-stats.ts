// How much is waiting and under way: read from small partial indexes, whatever the history.
import { sql } from "kysely";
import type { Db } from "./db/transaction.ts";

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

/** A slice at a time: summed in one go, a long queue would hold up everybody else. */
export async function readDepths(db: Db): Promise<Depths> {
  const depths: Depths = { queued: 0, live: 0, oldestQueuedAt: null, withoutWakeup: 0 };
  for (let after = ""; ; ) {
    const slice = await readSlice(db, after);
    if (slice?.last == null) return depths;
    depths.queued += Number(slice.queued);
    depths.live += Number(slice.live);
    // Ids grow with time.
    depths.oldestQueuedAt ??= slice.oldest;
    depths.withoutWakeup += Number(slice.asleep);
    after = slice.last;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

interface Slice {
  last: string | null;
  queued: number;
  live: number;
  oldest: number | null;
  asleep: number;
}

/** Of the open jobs after this one. */
async function readSlice(db: Db, after: string): Promise<Slice | undefined> {
  const { rows } = await sql<Slice>`
    select max(id) as last, sum(queued) as queued, sum(active) as live,
      min(case when queued > 0 then created_at end) as oldest,
      sum(case when queued > 0 and ready_at is null and cancel_mode is null
        and (budget_reached_at is null or due_at is null) and (max_parallel is null or active < max_parallel)
        then 1 else 0 end) as asleep
    from (select id, queued, active, created_at, ready_at, cancel_mode, budget_reached_at, due_at, max_parallel
      from jobs where queued + active + collecting > 0 and id > ${after}
      order by id limit ${sql.lit(JOBS_AT_ONCE)}) as open`.execute(db);
  return rows[0];
}

const JOBS_AT_ONCE = 1_000;

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
