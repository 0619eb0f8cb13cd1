// The event log: numbered without gaps in the order of the commits.
import { type Selectable, sql } from "kysely";
import type { EventDraft } from "../domain/event.ts";
import type { NewId } from "../lib/id.ts";
import type { EventsTable } from "./db/schema.ts";
import { insertRows, limitedStatement, statement } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";

export type EventRow = Selectable<EventsTable>;

export type Appended = EventsTable & Pick<EventDraft, "owner">;

/** Answers what was written, and whether there is any webhook that might hear of it. */
export async function appendEvents(
  db: Db,
  drafts: EventDraft[],
  now: number,
  newId: NewId,
): Promise<{ events: Appended[]; hasSubscribers: boolean }> {
  const { last, hasSubscribers } = await nextNumbers(db, drafts.length);
  const rows = drafts.map((draft, index) => ({
    seq: last - drafts.length + 1 + index,
    id: newId("evt"),
    type: draft.type,
    created_at: now,
    job_id: draft.jobId,
    run_id: draft.runId ?? null,
    execution_id: draft.executionId ?? null,
    data: JSON.stringify(draft.data),
  }));
  await insertRows(db, "events", rows);
  return { events: rows.map((row, index) => ({ ...row, owner: drafts[index]?.owner })), hasSubscribers };
}

/** The counter's row is locked until the commit: whoever reads events never sees a higher number first. */
async function nextNumbers(db: Db, count: number): Promise<{ last: number; hasSubscribers: boolean }> {
  const [row] = (await advance(db, { count })).rows;
  if (row === undefined) throw new Error("the events' counter was not advanced");
  return { last: row.value, hasSubscribers: Boolean(row.is_heard) };
}

const advance = statement<{ count: number }, { value: number; is_heard: unknown }>((db, { count }) =>
  db
    .insertInto("counters")
    .values({ name: sql.lit("events"), value: count })
    .onConflict((c) => c.column("name").doUpdateSet((eb) => ({ value: eb("counters.value", "+", count) })))
    // Asked along with the number: a question of its own would cost every write, and most services have no webhooks.
    .returning(({ exists, selectFrom }) => [
      "value",
      exists(selectFrom("webhooks").select("id").where("disabled_at", "is", sql.lit(null))).as("is_heard"),
    ]),
);

/** The last number that was given; deleting events does not lower it. */
export async function newestSeq(db: Db): Promise<number> {
  const query = db.selectFrom("counters").select("value").where("name", "=", "events");
  return (await query.executeTakeFirst())?.value ?? 0;
}

/** The number of the oldest event that is kept, or null. They go with their jobs, so there may be gaps after it. */
export async function oldestSeq(db: Db): Promise<number | null> {
  const query = db.selectFrom("events").select("seq").orderBy("seq").limit(1);
  return (await query.executeTakeFirst())?.seq ?? null;
}

export interface EventFilter {
  /** A key's name: only the events of its jobs. */
  owner: string | null;
  jobId?: string | undefined;
  types?: readonly string[] | undefined;
}

export interface EventPage {
  events: EventRow[];
  /** Everything wanted up to this number is on this page or was on one before. */
  readTo: number;
  /** There was nothing after it. */
  isNewest: boolean;
}

/**
 * The next wanted events after a number. A page may be empty without being the newest: of what is not wanted, only
 * so much is passed over at once.
 */
export async function readEvents(
  db: Db,
  { owner, jobId, types }: EventFilter,
  after: number,
  limit: number,
): Promise<EventPage> {
  const newest = await newestSeq(db);
  const end = jobId === undefined ? Math.min(newest, after + MAX_PASSED_OVER) : newest;
  let query = db.selectFrom("events").selectAll().where("seq", ">", after).where("seq", "<=", end);
  if (jobId !== undefined) query = query.where("job_id", "=", jobId);
  if (types !== undefined) query = query.where("type", "in", types);
  if (owner !== null) {
    query = query.where(({ exists, selectFrom }) =>
      exists(
        selectFrom("jobs")
          .select("jobs.id")
          .whereRef("jobs.id", "=", "events.job_id")
          .where("jobs.api_key", "=", owner),
      ),
    );
  }
  const events = await query.orderBy("seq").limit(limit).execute();
  const readTo = events.length < limit ? end : (events.at(-1)?.seq ?? end);
  const isNewest = readTo >= newest;
  // The next step in a turn of its own: SQLite answers without leaving the present one, and a long search would
  // keep every request and timer out.
  if (!isNewest && events.length < limit) await new Promise((resolve) => setImmediate(resolve));
  return { events, readTo, isNewest };
}

/** Enough of an event to tell whom it concerns. */
export type News = Pick<EventRow, "seq" | "type" | "job_id" | "run_id"> & {
  api_key: string | null;
  /** Runs of the job that have no outcome by now. */
  undecided: number | null;
};

export async function readNews(db: Db, after: number, limit: number): Promise<News[]> {
  return (await selectNews(db, { after }, limit)).rows;
}

const selectNews = limitedStatement<{ after: number }, News>((db, { after }, limit) =>
  db
    .selectFrom("events")
    .leftJoin("jobs", "jobs.id", "events.job_id")
    .select(["events.seq", "events.type", "events.job_id", "events.run_id", "jobs.api_key"])
    .select(sql<number | null>`jobs.queued + jobs.active`.as("undecided"))
    .where("events.seq", ">", after)
    .orderBy("events.seq")
    .limit(limit),
);

const MAX_PASSED_OVER = 2_000;
