// Long lists by keyset: a page goes on behind the last key of the page before. No row is skipped or repeated.
import { type RawBuilder, sql } from "kysely";
import { idBound, type Prefix } from "../lib/id.ts";
import { nextTurn } from "../lib/next-turn.ts";
import type { Db } from "./db/transaction.ts";
import { isKept, ofKeptJob } from "./deletions.ts";

export interface Scan {
  table: "jobs" | "runs" | "callbacks";
  /** Unique among the rows that `driver` leaves. */
  key: "id" | "position";
  order: "asc" | "desc";
  /** Answered by one index that also has the key's order. */
  driver: readonly RawBuilder<unknown>[];
  filters: readonly RawBuilder<unknown>[];
  /** Bounds on the ids; only in descending order. */
  range?: Range;
  after: string | number | null;
}

interface Range {
  lower?: RawBuilder<unknown>;
  upper?: RawBuilder<unknown>;
}

export interface Scanned<Row> {
  rows: Row[];
  next: string | number | null;
}

/**
 * Reads slices with a turn of the event loop between them: one SQLite statement over a long list would keep every other
 * request out. A page may be short or empty without being the last: a request reads a bounded number of slices.
 */
export async function scan<Row extends { [key in "id" | "position"]?: unknown }>(
  db: Db,
  { key, after: start, ...list }: Scan,
  limit: number,
): Promise<Scanned<Row>> {
  const rows: Row[] = [];
  let after = start;
  for (let slices = 0; slices < MAX_SLICES; slices++) {
    const slice = await findSlice(db, { key, after, ...list });
    if (slice === null) return { rows, next: null };
    const wanted = limit + 1 - rows.length;
    rows.push(...(await readSlice<Row>(db, { key, after, ...list }, slice.last, wanted)));
    if (rows.length > limit) {
      const shown = rows.slice(0, limit);
      return { rows: shown, next: shown.at(-1)?.[key] as string | number };
    }
    if (slice.entries < SLICE) return { rows, next: null };
    after = slice.last;
    await nextTurn();
  }
  return { rows, next: after };
}

/** Both times are exclusive. The bounds on the id are answered by an index. */
export function createdBetween(
  prefix: Prefix,
  { createdAfter, createdBefore }: { createdAfter?: number | undefined; createdBefore?: number | undefined },
  column = "created_at",
): { range: Range; exact: RawBuilder<unknown>[] } {
  const range: Range = {};
  const exact = [];
  if (createdAfter !== undefined) {
    range.lower = sql`id >= ${idBound(prefix, createdAfter - CLOCK_STEP_MS)}`;
    exact.push(sql`${sql.ref(column)} > ${createdAfter}`);
  }
  if (createdBefore !== undefined) {
    range.upper = sql`id < ${idBound(prefix, createdBefore + CLOCK_STEP_MS)}`;
    exact.push(sql`${sql.ref(column)} < ${createdBefore}`);
  }
  return { range, exact };
}

export function isIn(column: string, words: readonly string[]): RawBuilder<unknown> {
  return sql`${sql.ref(column)} in (${sql.join(words)})`;
}

export function isWithin<W extends string>(words: readonly W[] | undefined, these: readonly W[]): boolean {
  return words?.every((word) => these.includes(word)) ?? false;
}

/** The clock may be set between an id and the time in its row. */
const CLOCK_STEP_MS = 60_000;
export const SLICE = 1_000;
const MAX_SLICES = 200;

async function findSlice(db: Db, list: Scan): Promise<{ last: string | number; entries: number } | null> {
  const [slice] = (await sliceQuery(list).execute(db)).rows;
  return slice?.last == null ? null : { last: slice.last, entries: Number(slice.entries) };
}

/** Looks at index entries alone, at most a slice of them. */
export function sliceQuery(list: Scan) {
  const key = sql.ref(list.key);
  return sql<{ last: string | number | null; entries: number }>`
    select ${list.order === "desc" ? sql`min(${key})` : sql`max(${key})`} as last, count(*) as entries
    from (select ${key} from ${sql.table(list.table)} where ${all([...list.driver, ...given(list.range?.lower), ...begin(list)])}
      order by ${ordered(list)} limit ${sql.lit(SLICE)}) as slice`;
}

async function readSlice<Row>(db: Db, list: Scan, last: string | number, limit: number): Promise<Row[]> {
  return (await rowsQuery<Row>(list, last, limit).execute(db)).rows;
}

export function rowsQuery<Row>(list: Scan, last: string | number, limit: number) {
  const key = sql.ref(list.key);
  const upTo = list.order === "desc" ? sql`${key} >= ${last}` : sql`${key} <= ${last}`;
  return sql<Row>`
    select * from ${sql.table(list.table)}
    where ${all([...list.driver, ...begin(list), upTo, ...list.filters, keptRows[list.table]])}
    order by ${ordered(list)} limit ${limit}`;
}

const keptRows: Record<Scan["table"], RawBuilder<boolean>> = {
  jobs: isKept,
  runs: ofKeptJob(sql`runs.job_id`),
  callbacks: ofKeptJob(sql`(select job_id from executions where executions.id = callbacks.execution_id)`),
};

/** One bound for each direction: of two, SQLite searches by either and walks to the other row by row. */
function begin({ key, order, after, range }: Scan): RawBuilder<unknown>[] {
  if (after === null) return given(range?.upper);
  return [order === "desc" ? sql`${sql.ref(key)} < ${after}` : sql`${sql.ref(key)} > ${after}`];
}

function given(bound: RawBuilder<unknown> | undefined): RawBuilder<unknown>[] {
  return bound === undefined ? [] : [bound];
}

function ordered({ key, order }: Scan): RawBuilder<unknown> {
  return sql`${sql.ref(key)} ${sql.raw(order)}`;
}

function all(conditions: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return conditions.length === 0 ? sql`true` : sql.join(conditions, sql` and `);
}
