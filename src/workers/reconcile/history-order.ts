// Detects the order of the history rows. Unsorted rows, or too few, have no order.
import type { HistoryRow } from "../../lyceum/answer.ts";

/** Takes each row once, page by page. */
export function createOrder() {
  let dated = 0;
  let newestAt = Number.NEGATIVE_INFINITY;
  let oldestAt = Number.POSITIVE_INFINITY;
  let isBroken = false;

  return {
    /** No newer row can follow. */
    isOlder(rows: HistoryRow[], since: number): boolean {
      const times = timesOf(rows);
      const [first, last] = [times[0], times.at(-1)];
      if (first === undefined || last === undefined) return false;
      if (!isDescending(times) || first > oldestAt) isBroken = true;
      dated += times.length;
      newestAt = Math.max(newestAt, first);
      oldestAt = Math.min(oldestAt, last);
      return !isBroken && dated >= ENOUGH && newestAt > oldestAt && oldestAt < since;
    },
  };
}

export function isOldestFirst(rows: HistoryRow[]): boolean {
  const times = timesOf(rows).reverse();
  return times.length >= ENOUGH && isDescending(times) && (times[0] ?? 0) > (times.at(-1) ?? 0);
}

/** Fewer times may be in order by chance. */
const ENOUGH = 10;

function timesOf(rows: HistoryRow[]): number[] {
  return rows.flatMap(({ createdAt }) => createdAt ?? []);
}

function isDescending(times: number[]): boolean {
  return times.every((at, index) => index === 0 || at <= (times[index - 1] ?? 0));
}
