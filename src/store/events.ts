// The event log, numbered without gaps in commit order.
import { type Selectable, sql } from "kysely";
import type { EventDraft } from "../domain/event.ts";
import { idOfNumber } from "../lib/id.ts";
import { nextTurn } from "../lib/next-turn.ts";
import { insertRows } from "./db/rows.ts";
import type { EventsTable } from "./db/schema.ts";
import { isSqlite, statement, statementWithLimit } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";
import { ofKeptJob } from "./deletions.ts";
import { appendNumbered } from "./hot-rows.ts";

export type EventRow = Selectable<EventsTable>;

/** The time keeps ids apart that a restored database would give twice. */
export function eventId({ created_at, seq }: Pick<EventRow, "created_at" | "seq">): string {
  return idOfNumber("evt", created_at, seq);
}

export type AppendedEvent = EventsTable & Pick<EventDraft, "owner">;

export async function appendEvents(
  db: Db,
  drafts: EventDraft[],
  now: number,
): Promise<{ events: AppendedEvent[]; hasSubscribers: boolean }> {
  const unnumbered = drafts.map((draft) => ({
    type: draft.type,
    created_at: now,
    job_id: draft.jobId,
    run_id: draft.runId ?? null,
    execution_id: draft.executionId ?? null,
    data: JSON.stringify(draft.data),
  }));
  const { last, hasSubscribers } = isSqlite(db)
    ? await reserveSeqs(db, drafts.length)
    : await appendNumbered(db, unnumbered, now);
  const rows = unnumbered.map((row, index) => ({ seq: last - drafts.length + 1 + index, ...row }));
  if (isSqlite(db)) await insertRows(db, "events", rows);
  return { events: rows.map((row, index) => ({ ...row, owner: drafts[index]?.owner })), hasSubscribers };
}

/** Locks the counter until the commit, so that no reader sees a higher number before a lower one. */
async function reserveSeqs(db: Db, count: number): Promise<{ last: number; hasSubscribers: boolean }> {
  const [row] = (await advance(db, { count })).rows;
  if (row === undefined) throw new Error("the event counter was not incremented");
  return { last: row.value, hasSubscribers: Boolean(row.has_subscribers) };
}

const advance = statement<{ count: number }, { value: number; has_subscribers: unknown }>((db, { count }) =>
  db
    .insertInto("counters")
    .values({ name: sql.lit("events"), value: count })
    .onConflict((c) => c.column("name").doUpdateSet((eb) => ({ value: eb("counters.value", "+", count) })))
    // Part of this statement because a separate query would cost every write, and most services have no webhooks.
    .returning(({ exists, selectFrom }) => [
      "value",
      exists(selectFrom("webhooks").select("id").where("disabled_at", "is", sql.lit(null))).as(
        "has_subscribers",
      ),
    ]),
);

export async function newestSeq(db: Db): Promise<number> {
  const query = db.selectFrom("counters").select("value").where("name", "=", "events");
  return (await query.executeTakeFirst())?.value ?? 0;
}

/** Null without events. Events are deleted with their jobs, so later ones may be missing. */
export async function oldestSeq(db: Db): Promise<number | null> {
  const query = db.selectFrom("events").select("seq").orderBy("seq").limit(1);
  return (await query.executeTakeFirst())?.seq ?? null;
}

export interface EventFilter {
  owner: string | null;
  jobId?: string | undefined;
  runId?: string | undefined;
  types?: readonly string[] | undefined;
}

export interface EventPage {
  events: EventRow[];
  /** Every matching event up to this number is on this page or an earlier one. */
  readTo: number;
  /** No event followed `readTo`. */
  isNewest: boolean;
}

/** A page may be empty without being the newest: one call skips a bounded number of other events. */
export async function readEvents(
  db: Db,
  { owner, jobId, runId, types }: EventFilter,
  after: number,
  limit: number,
): Promise<EventPage> {
  const newest = await newestSeq(db);
  const isSearch = runId !== undefined || types !== undefined;
  const end =
    jobId === undefined
      ? Math.min(newest, after + MAX_SKIPPED)
      : isSearch
        ? await endOfSlice(db, jobId, after, newest)
        : newest;
  let query = db
    .selectFrom("events")
    .selectAll()
    .where("seq", ">", after)
    .where("seq", "<=", end)
    .where(ofKeptJob(sql`events.job_id`));
  if (jobId !== undefined) query = query.where("job_id", "=", jobId);
  if (runId !== undefined) query = query.where("run_id", "=", runId);
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
  // SQLite answers within the current tick. Without this pause a long search would block every request and timer.
  if (!isNewest && events.length < limit) await nextTurn();
  return { events, readTo, isNewest };
}

/** The number up to which a job has so many events as one call looks at. */
async function endOfSlice(db: Db, jobId: string, after: number, newest: number): Promise<number> {
  const query = db.selectFrom("events").select("seq").where("job_id", "=", jobId).where("seq", ">", after);
  const last = await query.orderBy("seq").offset(MAX_SKIPPED).limit(1).executeTakeFirst();
  return Math.min(newest, last?.seq ?? newest);
}

export type EventHeader = Pick<EventRow, "seq" | "type" | "job_id" | "run_id"> & {
  api_key: string | null;
  /** Runs of the job without an outcome so far. */
  undecided: number | null;
};

export async function readEventHeaders(db: Db, after: number, limit: number): Promise<EventHeader[]> {
  return (await selectEventHeaders(db, { after }, limit)).rows;
}

const selectEventHeaders = statementWithLimit<{ after: number }, EventHeader>((db, { after }, limit) =>
  db
    .selectFrom("events")
    .leftJoin("jobs", "jobs.id", "events.job_id")
    .select(["events.seq", "events.type", "events.job_id", "events.run_id", "jobs.api_key"])
    .select(sql<number | null>`jobs.queued + jobs.active`.as("undecided"))
    .where("events.seq", ">", after)
    .orderBy("events.seq")
    .limit(limit),
);

const MAX_SKIPPED = 2_000;
