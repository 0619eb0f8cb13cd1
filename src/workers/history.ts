// History: `/billing/history` read page by page, back to a moment, over several looks if need be. It alone knows ended
// executions. How it is sorted is not documented, pages may be shorter than asked for, and rows move while it is read:
// only a history that was read to its end proves that an execution is not there.
import type { LyceumClient } from "../lyceum/client.ts";
import type { Lane } from "../lyceum/lanes.ts";
import type { ReadOutcome } from "../lyceum/outcome.ts";
import type { HistoryReading, HistoryRow } from "../lyceum/reading.ts";
import { createOrder, isOldestFirst } from "./order.ts";

export interface HistoryOptions {
  lane: Lane;
  /** Older rows are not wanted. */
  since: number;
  onRows(rows: HistoryRow[]): void;
  /** Everything wanted has been found. */
  isEnough(): boolean;
}

/** `whole`: read to its end. `under way`: the next call goes on where this one stopped. */
export type Progress =
  | { state: "whole" | "under way" }
  | { state: "unanswered"; answer: ReadOutcome<unknown> };

export interface HistoryPass {
  readOn(): Promise<Progress>;
}

export function createHistoryPass(
  lyceum: Pick<LyceumClient, "history">,
  { lane, since, onRows, isEnough }: HistoryOptions,
): HistoryPass {
  let order = createOrder();
  /**
   * `comparing`: a page is the one before it again: either Lyceum gives all rows at once, or as many have come.
   * `closing`: the rest is read; rows that came meanwhile are not.
   */
  let stage: "forward" | "backward" | "comparing" | "closing" = "forward";
  let offset = 0;
  /** Positions before this one were read. */
  let readTo = 0;
  let firstCount: number | null = null;
  /** Ids of the first page: it holds the newest, or the oldest rows. */
  let first: string[] = [];
  let isOldFirst = false;
  let last: string[] = [];
  let before: { ids: string[]; offset: number } = { ids: [], offset: 0 };
  let hasMoved = false;

  /** @returns whether the pass is over */
  function take({ rows, count, total }: HistoryReading): boolean {
    const ids = rows.map(({ executionId }) => executionId);
    const isReadable = rows.length === count;
    if (stage === "comparing") return compare(ids);
    if (stage === "forward" && isSame(ids, before.ids) && offset !== before.offset) {
      before = { ids, offset };
      stage = "comparing";
      offset = 0;
      return false;
    }
    before = { ids, offset };
    if (isReadable && isTorn(ids)) return tear(count);
    onRows(rows);
    if (isEnough()) return true;
    if (firstCount === null) {
      firstCount = count;
      first = ids;
      isOldFirst = total !== null && total > count && isOldestFirst(rows);
      if (isOldFirst) return jump(total ?? count);
    }
    const end = offset + count;
    const isNew = end > readTo;
    readTo = Math.max(readTo, end);
    // A total that is no more than the page may count the page alone.
    const isEnd = count === 0 || (total !== null && total > count && end >= total);
    switch (stage) {
      case "forward":
        if (isEnd || order.isOlder(rows, since)) return finish();
        break;
      case "backward":
        return offset === 0 || (rows[0]?.createdAt ?? since) < since ? finish() : stepBack(count);
      case "closing":
        if (isEnd || (!isOldFirst && ids.some((id) => first.includes(id)))) return true;
    }
    return isNew ? step(isReadable ? ids : [], count) : look();
  }

  function compare(ids: string[]): boolean {
    if (isSame(ids, before.ids)) return true;
    stage = "forward";
    hasMoved = true;
    offset = before.offset;
    before = { ids: [], offset: 0 };
    return false;
  }

  function step(ids: string[], count: number): false {
    last = ids;
    offset += count - seamOf(count);
    return false;
  }

  /** This may be the end: only a page without rows proves it. */
  function look(): false {
    last = [];
    offset = readTo;
    return false;
  }

  function stepBack(count: number): false {
    offset = Math.max(0, offset - Math.max(1, count - seamOf(count)));
    return false;
  }

  /** To the newest rows, which stand at the end. */
  function jump(total: number): false {
    stage = "backward";
    hasMoved = true;
    offset = Math.max(0, total - Math.max(1, (firstCount ?? 0) - seamOf(firstCount ?? 0)));
    return false;
  }

  /** Rows that came at the newest end meanwhile are read at last. */
  function finish(): boolean {
    if (!hasMoved) return true;
    stage = "closing";
    last = [];
    offset = isOldFirst ? readTo : 0;
    if (!isOldFirst) readTo = 0;
    return false;
  }

  /** Pages that follow each other share rows: if they do not, the rows in between were missed. */
  function isTorn(ids: string[]): boolean {
    if (last.length === 0) return false;
    const overlap = seamOf(last.length);
    const seam = overlap === 0 ? [] : last.slice(-overlap);
    const isStill =
      overlap === 0 ? !ids.some((id) => last.includes(id)) : seam.every((id, at) => ids[at] === id);
    if (!isStill) hasMoved = true;
    return seam.length > 0 && !ids.some((id) => seam.includes(id));
  }

  function tear(count: number): false {
    offset = Math.max(0, offset - Math.max(count, firstCount ?? 1));
    readTo = Math.min(readTo, offset);
    order = createOrder();
    if (offset === 0) last = [];
    return false;
  }

  return {
    async readOn() {
      for (let page = 0; page < MAX_PAGES; page++) {
        const answer = await lyceum.history({ limit: PAGE, offset }, lane);
        if (answer.outcome !== "ok") {
          hasMoved = true;
          return { state: "unanswered", answer };
        }
        if (take(answer.value)) return { state: "whole" };
      }
      hasMoved = true;
      return { state: "under way" };
    },
  };
}

function isSame(ids: string[], others: string[]): boolean {
  return ids.length > 0 && ids.length === others.length && ids.every((id, at) => id === others[at]);
}

/** As many as one look may ask for: billing has a limit of its own (100 an hour as documented). */
const MAX_PAGES = 5;
const PAGE = 100;

/** Lyceum's clock is its own: rows may seem older than they are. */
export const CLOCK_SKEW_MS = 10 * 60_000;

/** Rows that two pages share. A page of one row leaves none to share. */
function seamOf(count: number): number {
  return count < 2 ? 0 : Math.min(10, Math.ceil(count / 4));
}
