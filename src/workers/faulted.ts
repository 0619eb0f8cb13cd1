// Ids whose work failed by a fault. Each further fault of an id prolongs its delay.
import { exponentialMs } from "../lib/backoff.ts";

export interface Faulted {
  add(ids: string[]): void;
  size(): number;
  byDelay(): [delayMs: number, ids: string[]][];
  released(ids: string[]): void;
  /** Earlier faults no longer count. */
  done(ids: string[]): void;
}

export function createFaulted(): Faulted {
  const waiting = new Set<string>();
  const faults = new Map<string, number>();
  const delayOf = (id: string) => exponentialMs(faults.get(id) ?? 1, DELAY);

  return {
    add(ids) {
      if (faults.size > MAX_COUNTED) faults.clear();
      for (const id of ids) {
        waiting.add(id);
        faults.set(id, (faults.get(id) ?? 0) + 1);
      }
    },
    size: () => waiting.size,
    byDelay: () => [...Map.groupBy([...waiting].slice(0, MAX_AT_ONCE), delayOf)],
    released(ids) {
      for (const id of ids) waiting.delete(id);
    },
    done(ids) {
      if (faults.size > 0) for (const id of ids) faults.delete(id);
    },
  };
}

const DELAY = { firstMs: 1_000, maxMs: 30_000 };
const MAX_COUNTED = 100_000;
/** Each is a parameter of a statement. */
const MAX_AT_ONCE = 5_000;
