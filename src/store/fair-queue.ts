// Whose turn it is to start a run: priority, then round-robin over API keys, then over their jobs.
import { sql } from "kysely";
import { incrementCounter } from "./counters.ts";
import { givenRows, limitedStatement, statement, statementOn } from "./db/statements.ts";
import { Conflict, type Db, groupSortedByRow } from "./db/transaction.ts";
import { type JobRow, lockJobs } from "./jobs.ts";

export type JobTurn = Pick<JobRow, "id" | "api_key" | "served">;

/**
 * Whose turns the next starts are, in their order, at most so many: the highest priority first, then the key, then the
 * job that was served longest ago. A key whose budget is used up is passed over. Index seeks only, whatever the number
 * of jobs.
 */
export async function nextInFairOrder(db: Db, now: number, most: number): Promise<JobTurn[]> {
  const keys: ReadyKey[] = [];
  for (const { name, served } of (await selectReadyKeys(db, { now })).rows) {
    const { rows } = await selectReadyJobs(db, { name, now }, most);
    keys.push({ served, jobs: rows.map((job) => ({ ...job, lastServed: job.served })) });
  }
  const turns: JobTurn[] = [];
  while (turns.length < most) {
    const [next] = keys.flatMap(firstOf).sort(comparePlaces);
    if (next === undefined) break;
    const { key, job } = next;
    turns.push(job);
    job.freeSlots--;
    // To the end of the round, behind all that were served before.
    job.lastServed = key.served = Number.MAX_SAFE_INTEGER - most + turns.length;
  }
  return turns;
}

interface ReadyKey {
  served: number;
  jobs: ReadyJob[];
}

type ReadyJob = JobTurn & {
  priority: number;
  /** How many of its runs may be started now. */
  freeSlots: number;
  /** With the turns that it is given here. */
  lastServed: number;
};

interface Place {
  key: ReadyKey;
  job: ReadyJob;
}

function firstOf(key: ReadyKey): Place[] {
  let first: Place | null = null;
  for (const job of key.jobs) {
    const place = { key, job };
    if (job.freeSlots > 0 && (first === null || comparePlaces(place, first) < 0)) first = place;
  }
  return first === null ? [] : [first];
}

function comparePlaces(one: Place, other: Place): number {
  const byTurn =
    other.job.priority - one.job.priority ||
    one.key.served - other.key.served ||
    one.job.lastServed - other.job.lastServed;
  return byTurn || (one.job.id < other.job.id ? -1 : 1);
}

const selectReadyKeys = statement<{ now: number }, { name: string; served: number }>((db, { now }) => ({
  compile: () =>
    sql<{ name: string; served: number }>`
    select name, served from api_keys k where (held_until is null or held_until <= ${now}) and (
      select id from jobs where api_key = k.name and ready_at is not null and ready_at <= ${now}
      order by priority desc, served, id limit 1) is not null`.compile(db),
}));

// `in`, not `=`: where an order follows, SQLite plans a comparison with a parameter anew at each execution.
const selectReadyJobs = limitedStatement<
  { name: string; now: number },
  JobTurn & Pick<ReadyJob, "priority" | "freeSlots">
>((db, { name, now }, most) =>
  db
    .selectFrom("jobs")
    .select(["id", "api_key", "served", "priority"])
    .select(
      sql<number>`case when max_parallel - active < queued then max_parallel - active else queued end`.as(
        "freeSlots",
      ),
    )
    .where("api_key", "in", [name])
    .where("ready_at", "is not", sql.lit(null))
    .where("ready_at", "<=", now)
    .orderBy("priority", "desc")
    .orderBy("served")
    .orderBy("id")
    .limit(most),
);

/**
 * The place in the queue of a job's next run, 1 for the very next: all runs of a higher priority stand before it,
 * and of its own priority one run of each key and of each job of its key whose turn comes first.
 */
export async function queuePosition(db: Db, job: JobRow): Promise<number> {
  const higher = await sql<{ count: number | null }>`
    select sum(queued) as count from jobs where ready_at is not null and priority > ${job.priority}`.execute(
    db,
  );
  const peers = await sql<{ api_key: string; served: number; before: number }>`
    select j.api_key, k.served,
      sum(case when j.served < ${job.served} or (j.served = ${job.served} and j.id < ${job.id}) then 1 else 0 end) as before
    from jobs j join api_keys k on k.name = j.api_key
    where j.ready_at is not null and j.priority = ${job.priority}
    group by j.api_key, k.served`.execute(db);
  const own = peers.rows.find((row) => row.api_key === job.api_key);
  const others = peers.rows.filter((row) => row.api_key !== job.api_key);
  const rounds = Number(own?.before ?? 0);
  const keysFirst = others.filter((row) => Number(row.served) < Number(own?.served ?? 0)).length;
  return Number(higher.rows[0]?.count ?? 0) + rounds * (others.length + 1) + keysFirst + 1;
}

/**
 * The keys and the jobs go to the end of the round, in the order of their turns. Locks the jobs.
 * @throws Conflict when somebody else took one of these turns meanwhile, or a job is not ready any more.
 */
export async function advanceRoundRobin(db: Db, turns: readonly JobTurn[], now: number): Promise<void> {
  const last = await incrementCounter(db, "dispatch.tick", turns.length);
  const ticked = turns.map((turn, index) => ({ ...turn, tick: last - turns.length + 1 + index }));
  const jobs = groupSortedByRow(ticked, (turn) => turn.id).map(([id, those]) => {
    const { served: before, tick } = those.at(-1) as (typeof ticked)[number];
    return [tick, id, before] as const;
  });
  await lockJobs(
    db,
    jobs.map(([, id]) => id),
  );
  if ((await serveJobs(db, jobs)).length < jobs.length) throw new Conflict("somebody's turn is over");
  for (const [name, those] of groupSortedByRow(ticked, (turn) => turn.api_key)) {
    const { tick } = those.at(-1) as (typeof ticked)[number];
    const key = await serveKey(db, { name, tick, now });
    if (key.numAffectedRows === 0n) throw new Conflict(`the budget of ${name} is used up`);
  }
}

const serveJobs = statementOn<readonly [tick: number, id: string, before: number], Pick<JobRow, "id">>(
  (db, rows) => {
    const { places, from } = givenRows(db, ["bigint", "text", "bigint"], rows.length);
    const [tick, id, before] = places;
    const query = sql<Pick<JobRow, "id">>`update jobs set served = ${tick}${from}
      where id = ${id} and served = ${before} and ready_at is not null returning id`;
    return { compile: () => query.compile(db) };
  },
);

const serveKey = statement<{ name: string; tick: number; now: number }, never>((db, { name, tick, now }) =>
  db
    .updateTable("api_keys")
    .set({ served: tick })
    .where("name", "=", name)
    .where((eb) => eb.or([eb("held_until", "is", sql.lit(null)), eb("held_until", "<=", now)])),
);

/** The earliest moment at which some job has a run to start and its key may pay for it, or null. */
export async function nextReadyAt(db: Db): Promise<number | null> {
  const { rows } = await sql<{ at: number | null }>`
    select min(case when k.held_until > j.ready_at then k.held_until else j.ready_at end) as at
    from api_keys k join jobs j on j.api_key = k.name where j.ready_at is not null`.execute(db);
  return rows[0]?.at ?? null;
}

/** Until when the budget of this key is used up, or null. */
export async function heldUntil(db: Db, apiKey: string): Promise<number | null> {
  const query = db.selectFrom("api_keys").select("held_until").where("name", "=", apiKey);
  return (await query.executeTakeFirst())?.held_until ?? null;
}
