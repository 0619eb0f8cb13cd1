// Decides which page of the history to read next. Its order is not documented, and rows move while they are read: each
// page overlaps the page before, and a page that begins with a known row has left no row out.
import type { HistoryAnswer, HistoryRow } from "../../lyceum/answer.ts";
import { createOrder, isOldestFirst } from "./history-order.ts";

/**
 * `doubtful`: the end was reached, but rows may have moved past unseen. `unreadable`: none of the rows can be read.
 */
export type Walked = "on" | "proven" | "doubtful" | "unreadable";

export interface Walk {
  readonly offset: number;
  readonly known: ReadonlySet<string>;
  /** New rows are added at the end, so they have been read, too. */
  readonly isOldestFirst: boolean;
  take(page: HistoryAnswer): Walked;
}

export interface WalkOptions {
  /** Older rows are not wanted. */
  since: number;
  /** From the first of these rows of an earlier walk on, all rows are known. */
  until: ReadonlySet<string>;
}

export function createWalk({ since, until }: WalkOptions): Walk {
  const known = new Set<string>();
  let order = createOrder();
  let offset = 0;
  /** Known rows that the next page should begin with; null after a step back. */
  let shared: number | null = null;
  let largest = 0;
  let stepBack = 1;
  let isOldFirst = false;
  let isProven = true;
  let before: { image: string; offset: number } | null = null;

  function take(page: HistoryAnswer): Walked {
    const { rows, count, total } = page;
    const ids = rows.map(({ executionId }) => executionId);
    const image = imageOf(page);
    const isFirst = before === null;
    const isRepeated =
      before !== null && before.offset !== offset && rows.length > 0 && image === before.image;
    before = { image, offset };
    if (isFirst && total !== null && total > count && isOldestFirst(rows)) return skipOld(total, count);
    if (count === 0 && shared === 0) return end();
    if (!follows(rows)) {
      if (!isUnprovable(rows, count)) return back();
      isProven = false;
    }
    const newRows = rows.filter(({ executionId }) => !known.has(executionId));
    for (const id of ids) known.add(id);
    largest = Math.max(largest, count);
    stepBack = Math.ceil(largest / 2);
    if (offset === 0 && (count === 0 || (total === count && !isRound(count)))) return end();
    // A total that equals the page may count the page alone.
    if (total !== null && total > count && offset + count >= total) return end();
    if (order.isOlder(newRows, since) || ids.some((id) => until.has(id))) return end();
    // The same rows at another offset: Lyceum ignores the offset, or as many rows were added meanwhile.
    if (isRepeated) isProven = false;
    // A page that holds only the shared rows is the last.
    if (isRepeated || (shared !== null && count <= shared)) return end();
    shared = seamOf(largest);
    offset += count - shared;
    return "on";
  }

  /** No row is left out between the known rows and this page. */
  function follows(rows: HistoryRow[]): boolean {
    const [first] = rows;
    if (offset === 0) return true;
    if (first === undefined) return false;
    return known.has(first.executionId) || (isOldFirst && isOldestFirst(rows) && isOld(first));
  }

  const isOld = ({ createdAt }: HistoryRow) => createdAt !== null && createdAt < since;

  /** Pages of one row share none, and an unreadable row may be the shared row. */
  function isUnprovable(rows: HistoryRow[], count: number): boolean {
    if (count === 0 || shared === null) return false;
    return shared === 0 ? largest === 1 : rows.length < count;
  }

  /** Steps back, ever further, to a page that follows the known rows. */
  function back(): Walked {
    order = createOrder();
    shared = null;
    offset = Math.max(0, offset - stepBack);
    stepBack *= 2;
    return "on";
  }

  /** Oldest rows first: reads from the end back to the first page that begins before the moment, then forward. */
  function skipOld(total: number, count: number): Walked {
    isOldFirst = true;
    offset = total;
    stepBack = count;
    return back();
  }

  function end(): Walked {
    if (known.size === 0 && largest > 0) return "unreadable";
    return isProven ? "proven" : "doubtful";
  }

  return {
    known,
    take,
    get offset() {
      return offset;
    },
    get isOldestFirst() {
      return isOldFirst;
    },
  };
}

/** Two pages with the same rows look the same. */
export function imageOf({ rows, count, oddAt, total }: HistoryAnswer): string {
  return JSON.stringify([count, total, oddAt, rows.map(({ executionId }) => executionId)]);
}

/** The largest page that a server gives is a round number: a page of that many rows may not be the last. */
function isRound(count: number): boolean {
  return count % 5 === 0;
}

/** Pages of one row share none. */
function seamOf(count: number): number {
  return count < 2 ? 0 : Math.min(10, Math.ceil(count / 4));
}
