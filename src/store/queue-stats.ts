// Queue depths, read from small partial indexes, whatever the history.
import { sql } from "kysely";
import { nextTurn } from "../lib/next-turn.ts";
import { readCounters } from "./counters.ts";
import type { Db } from "./db/transaction.ts";

/** From the jobs' counts, however many executions are alive. */
export interface QueueDepths {
  queued: number;
  live: number;
  oldestQueuedAt: number | null;
  /** Unfinished jobs that no worker will look at: must be 0. */
  withoutWakeup: number;
}

export interface QueueLevels extends QueueDepths {
  collecting: number;
  inDoubt: number;
}

/** In slices: one sum over a long queue would block other requests. */
export async function readDepths(db: Db): Promise<QueueDepths> {
  const depths: QueueDepths = { queued: 0, live: 0, oldestQueuedAt: null, withoutWakeup: 0 };
  for (let after = ""; ; ) {
    const slice = await readSlice(db, after);
    if (slice?.last == null) return depths;
    depths.queued += Number(slice.queued);
    depths.live += Number(slice.live);
    // Ids grow with time, so the first slice has the oldest job.
    depths.oldestQueuedAt ??= slice.oldest;
    depths.withoutWakeup += Number(slice.asleep);
    after = slice.last;
    await nextTurn();
  }
}

interface Slice {
  last: string | null;
  queued: number;
  live: number;
  oldest: number | null;
  asleep: number;
}

async function readSlice(db: Db, after: string): Promise<Slice | undefined> {
  const { rows } = await sql<Slice>`
    select max(id) as last, sum(queued) as queued, sum(active) as live,
      min(case when queued > 0 then created_at end) as oldest,
      sum(case when queued > 0 and ready_at is null and cancel_mode is null
        and (budget_reached_at is null or due_at is null) and (max_parallel is null or active < max_parallel)
        then 1 else 0 end) as asleep
    from (select id, queued, active, created_at, ready_at, cancel_mode, budget_reached_at, due_at, max_parallel
      from jobs where queued + active + collecting > 0 and id > ${after}
      order by id limit ${sql.lit(JOBS_PER_SLICE)}) as open`.execute(db);
  return rows[0];
}

const JOBS_PER_SLICE = 1_000;

/** @param readTheDepths one instance counts for all of them */
export async function readLevels(db: Db, readTheDepths = readDepths): Promise<QueueLevels> {
  const depths = await readTheDepths(db);
  const collecting = await sql<{ count: number }>`
    select count(*) as count from executions where phase = 'collecting'`.execute(db);
  const inDoubt = await sql<{ count: number }>`
    select count(*) as count from executions where phase = 'submitting' and in_doubt_at is not null`.execute(
    db,
  );
  return {
    ...depths,
    collecting: Number(collecting.rows[0]?.count ?? 0),
    inDoubt: Number(inDoubt.rows[0]?.count ?? 0),
  };
}

export async function saveDepths(db: Db, { oldestQueuedAt, ...depths }: QueueDepths): Promise<void> {
  // Counters are numbers: 0 stands for none.
  for (const [name, value] of Object.entries({ ...depths, oldestQueuedAt: oldestQueuedAt ?? 0 }))
    await db
      .insertInto("counters")
      .values({ name: `depth.${name}`, value })
      .onConflict((c) => c.column("name").doUpdateSet({ value }))
      .execute();
}

/** As the instance that counts for all has saved them last. */
export async function readSavedDepths(db: Db): Promise<QueueDepths> {
  const { queued = 0, live = 0, withoutWakeup = 0, oldestQueuedAt = 0 } = await readCounters(db, "depth.");
  return { queued, live, withoutWakeup, oldestQueuedAt: oldestQueuedAt || null };
}
