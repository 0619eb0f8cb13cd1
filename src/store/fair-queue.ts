// The fair order of starts: priority, then round-robin over API keys, then over their jobs.
import { sql } from "kysely";
import { nextTicks } from "./counters.ts";
import { insertRows } from "./db/rows.ts";
import { isSqlite, statement, statementForRows, statementWithLimit } from "./db/statements.ts";
import { Conflict, type Db, groupSortedByRow } from "./db/transaction.ts";
import { joinWithTicks } from "./hot-rows.ts";
import { type JobRow, lockedInOrder } from "./jobs.ts";

/** New jobs take the end of the round, behind those that have waited longer. Returns the highest of their ticks. */
export async function joinQueue(db: Db, apiKeys: ReadonlySet<string>, jobs: number): Promise<number> {
  if (!isSqlite(db)) return joinWithTicks(db, [...apiKeys], jobs);
  const keys = [...apiKeys].map((name) => ({ name, last_served_seq: 0 }));
  await insertRows(db, "api_keys", keys, "skip");
  return nextTicks(db, jobs);
}

/** A job whose next run starts; `last_served_seq` as it was read. */
export type JobTurn = Pick<JobRow, "id" | "api_key" | "last_served_seq">;

/**
 * Highest priority first, then the key and then the job that were served longest ago. Keys with a used-up budget are
 * skipped. Only index seeks, however many jobs there are.
 */
export async function nextInFairOrder(db: Db, now: number, limit: number): Promise<JobTurn[]> {
  const keys: ReadyKey[] = [];
  for (const { name, last_served_seq } of (await selectReadyKeys(db, { now })).rows) {
    const { rows } = await selectReadyJobs(db, { name, now }, limit);
    keys.push({
      lastServed: last_served_seq,
      jobs: rows.map((job) => ({ ...job, lastServed: job.last_served_seq })),
    });
  }
  const turns: JobTurn[] = [];
  while (turns.length < limit) {
    const [next] = keys.flatMap(bestJobOf).sort(compareCandidates);
    if (next === undefined) break;
    const { key, job } = next;
    turns.push(job);
    job.freeSlots--;
    // Behind every job and key that was served before.
    job.lastServed = key.lastServed = Number.MAX_SAFE_INTEGER - limit + turns.length;
  }
  return turns;
}

interface ReadyKey {
  lastServed: number;
  jobs: ReadyJob[];
}

type ReadyJob = JobTurn & {
  priority: number;
  freeSlots: number;
  /** Includes the turns assigned in this call. */
  lastServed: number;
};

interface Candidate {
  key: ReadyKey;
  job: ReadyJob;
}

function bestJobOf(key: ReadyKey): Candidate[] {
  let best: Candidate | null = null;
  for (const job of key.jobs) {
    const candidate = { key, job };
    if (job.freeSlots > 0 && (best === null || compareCandidates(candidate, best) < 0)) best = candidate;
  }
  return best === null ? [] : [best];
}

function compareCandidates(a: Candidate, b: Candidate): number {
  const byTurn =
    b.job.priority - a.job.priority ||
    a.key.lastServed - b.key.lastServed ||
    a.job.lastServed - b.job.lastServed;
  return byTurn || (a.job.id < b.job.id ? -1 : 1);
}

const selectReadyKeys = statement<{ now: number }, { name: string; last_served_seq: number }>(
  (_db, { now }) => sql<{ name: string; last_served_seq: number }>`
    select name, last_served_seq from api_keys k where (held_until is null or held_until <= ${now}) and (
      select id from jobs where api_key = k.name and ready_at is not null and ready_at <= ${now}
      order by priority desc, last_served_seq, id limit 1) is not null`,
);

// `in`, not `=`: with an `order by`, SQLite would plan `=` with a parameter again at each execution.
const selectReadyJobs = statementWithLimit<
  { name: string; now: number },
  JobTurn & Pick<ReadyJob, "priority" | "freeSlots">
>((db, { name, now }, limit) =>
  db
    .selectFrom("jobs")
    .select(["id", "api_key", "last_served_seq", "priority"])
    .select(
      sql<number>`case when max_parallel - active < queued then max_parallel - active else queued end`.as(
        "freeSlots",
      ),
    )
    .where("api_key", "in", [name])
    .where("ready_at", "is not", sql.lit(null))
    .where("ready_at", "<=", now)
    .orderBy("priority", "desc")
    .orderBy("last_served_seq")
    .orderBy("id")
    .limit(limit),
);

/**
 * From 1. Before it come all runs of a higher priority and, at its own, one run of each key and of each job of its key
 * whose turn is earlier.
 */
export async function queuePosition(db: Db, job: JobRow): Promise<number> {
  const higher = await sql<{ count: number | null }>`
    select sum(queued) as count from jobs where ready_at is not null and priority > ${job.priority}`.execute(
    db,
  );
  const { last_served_seq: seq } = job;
  const peers = await sql<{ api_key: string; last_served_seq: number; before: number }>`
    select j.api_key, k.last_served_seq,
      sum(case when j.last_served_seq < ${seq} or (j.last_served_seq = ${seq} and j.id < ${job.id})
        then 1 else 0 end) as before
    from jobs j join api_keys k on k.name = j.api_key
    where j.ready_at is not null and j.priority = ${job.priority}
    group by j.api_key, k.last_served_seq`.execute(db);
  const own = peers.rows.find((row) => row.api_key === job.api_key);
  const others = peers.rows.filter((row) => row.api_key !== job.api_key);
  const rounds = Number(own?.before ?? 0);
  const keysFirst = others.filter(
    (row) => Number(row.last_served_seq) < Number(own?.last_served_seq ?? 0),
  ).length;
  return Number(higher.rows[0]?.count ?? 0) + rounds * (others.length + 1) + keysFirst + 1;
}

/**
 * Moves the keys to the end of the round, and locks the jobs. Returns each job's new `last_served_seq`, which is written
 * with the change of its runs.
 * @throws Conflict when another transaction took one of these turns, or a job is no longer ready
 */
export async function advanceRoundRobin(
  db: Db,
  turns: readonly JobTurn[],
  now: number,
): Promise<Map<string, number>> {
  const last = await nextTicks(db, turns.length);
  const ticked = turns.map((turn, index) => ({ ...turn, tick: last - turns.length + 1 + index }));
  const read = new Map(turns.map(({ id, last_served_seq }) => [id, last_served_seq]));
  const ready = await lockReadyJobs(db, [...read.keys()].sort());
  const unchanged = ready.filter(({ id, last_served_seq }) => last_served_seq === read.get(id));
  if (unchanged.length < read.size) throw new Conflict("another transaction took the turn of a job");
  for (const [name, turnsOfKey] of groupSortedByRow(ticked, (turn) => turn.api_key)) {
    const { tick } = turnsOfKey.at(-1) as (typeof ticked)[number];
    const key = await serveKey(db, { name, tick, now });
    if (key.numAffectedRows === 0n) throw new Conflict(`the budget of ${name} is used up`);
  }
  return new Map(ticked.map(({ id, tick }) => [id, tick]));
}

const lockReadyJobs = statementForRows<string, Pick<JobRow, "id" | "last_served_seq">>((db, ids) => {
  const query = db
    .selectFrom("jobs")
    .select(["id", "last_served_seq"])
    .where("id", "in", ids)
    .where("ready_at", "is not", sql.lit(null));
  return isSqlite(db) ? query : lockedInOrder(query);
});

const serveKey = statement<{ name: string; tick: number; now: number }, never>((db, { name, tick, now }) =>
  db
    .updateTable("api_keys")
    .set({ last_served_seq: tick })
    .where("name", "=", name)
    .where((eb) => eb.or([eb("held_until", "is", sql.lit(null)), eb("held_until", "<=", now)])),
);

/**
 * When a run may start next; null: none waits. However many wait, only those of keys without a run that is ready are
 * looked through.
 */
export async function nextReadyAt(db: Db, now: number): Promise<number | null> {
  const { rows } = await selectNextReadyAt(db, { now });
  return rows[0]?.at ?? null;
}

// With the order and a limit SQLite follows the index of waiting jobs, and not that of all jobs of a key.
const selectNextReadyAt = statement<{ now: number }, { at: number | null }>((_db, { now }) => {
  const waiting = sql`from jobs where api_key = k.name and ready_at is not null`;
  const order = sql`order by priority desc, last_served_seq, id`;
  const readyAts = sql`(select ready_at ${waiting} ${order} limit ${sql.lit(MAX_JOBS)}) as later`;
  return sql<{ at: number | null }>`
    select min(case when held_until > ${now} then (select k.held_until ${waiting} ${order} limit 1)
      else coalesce((select ready_at ${waiting} and ready_at <= ${now} ${order} limit 1),
        (select min(ready_at) from ${readyAts})) end) as at from api_keys k`;
});

/** More than a database holds. */
const MAX_JOBS = 1_000_000_000;

/** Null unless the key's budget is used up. */
export async function heldUntil(db: Db, apiKey: string): Promise<number | null> {
  const query = db.selectFrom("api_keys").select("held_until").where("name", "=", apiKey);
  return (await query.executeTakeFirst())?.held_until ?? null;
}
