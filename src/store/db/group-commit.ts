// Group commit for SQLite's one writer: writes share a transaction and an fsync as long as each tick of the event loop
// brings another one. That matters to callbacks that come on connections of their own, because Node accepts one a tick.
// No timer: waiting without new writes lost throughput in measurements. If a write throws, all are rolled back and
// repeated in savepoints, so that a bad write fails alone. No write resolves before the commit.

import { sql } from "kysely";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { DatabaseUnavailable } from "../../lib/database-error.ts";
import { retryWhileBusy } from "./busy-retry.ts";
import type { Db, Write } from "./transaction.ts";

export type RunWrites = (db: Db, writes: Write<unknown>[]) => Promise<Written>;

interface Written {
  results: unknown[];
  committed(): void;
}

export interface Commit {
  writes: number;
  durationMs: number;
}

interface Item {
  write: Write<unknown>;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

export interface GroupCommit {
  write<T>(write: Write<T>): Promise<T>;
  /** Another item has joined a write that waits. */
  joined(): void;
}

/** @param onCommit called after each commit */
export function groupCommit(
  db: Db,
  run: RunWrites,
  clock: Clock,
  onCommit: (commit: Commit) => void,
): GroupCommit {
  const queue: Item[] = [];
  let isBusy = false;
  let arrivals = 0;

  /** Flushes after the first tick without arrivals. */
  function gather(ticksLeft = MAX_TICKS, until = clock.monotonic() + MAX_GATHER_MS): void {
    const before = arrivals;
    setImmediate(() => {
      const isGrowing = arrivals > before && ticksLeft > 0 && clock.monotonic() < until;
      if (isGrowing) gather(ticksLeft - 1, until);
      else void flush();
    });
  }

  async function flush(): Promise<void> {
    const batch = queue.splice(0, MAX_ITEMS);
    try {
      if (!(await commitBatch(batch))) await commitOneByOne(batch);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    isBusy = queue.length > 0;
    // In a new tick: SQLite answers within the current one, so a series of writers would block requests and timers.
    if (isBusy) gather();
  }

  /** False: one of several items threw, and nothing was written. */
  async function commitBatch(batch: Item[]): Promise<boolean> {
    let hasFailedItem = false;
    const writes = batch.map(({ write }) => write);
    const runAll = async (trx: Db) => {
      try {
        return await run(trx, writes);
      } catch (error) {
        // An unavailable database fails all items.
        hasFailedItem = !(error instanceof DatabaseUnavailable);
        throw error;
      }
    };
    try {
      const startedAt = systemClock.monotonic();
      const { results, committed } = await retryWhileBusy(() => db.transaction().execute(runAll));
      onCommit({ writes: batch.length, durationMs: systemClock.monotonic() - startedAt });
      for (const [index, { resolve }] of batch.entries()) resolve(results[index]);
      committed();
      return true;
    } catch (error) {
      // A single item is the bad one, and a failed commit is not repeated.
      if (hasFailedItem && batch.length > 1) return false;
      throw error;
    }
  }

  async function commitOneByOne(batch: Item[]): Promise<void> {
    let afterCommit: (() => void)[] = [];
    const runEach = async (trx: Db) => {
      afterCommit = [];
      for (const { write, resolve, reject } of batch) {
        await savepoint.execute(trx);
        try {
          const { results, committed } = await run(trx, [write]);
          afterCommit.push(() => resolve(results[0]), committed);
        } catch (error) {
          await rollback.execute(trx);
          afterCommit.push(() => reject(error));
        }
        await release.execute(trx);
      }
    };
    const startedAt = systemClock.monotonic();
    await retryWhileBusy(() => db.transaction().execute(runEach));
    onCommit({ writes: batch.length, durationMs: systemClock.monotonic() - startedAt });
    for (const effect of afterCommit) effect();
  }

  return {
    write: <T>(write: Write<T>) =>
      new Promise<T>((resolve, reject) => {
        queue.push({ write, resolve: resolve as Item["resolve"], reject });
        arrivals++;
        if (isBusy) return;
        isBusy = true;
        // Callers whose commit just succeeded write again in this tick or in the next one: wait for both.
        setImmediate(() => gather());
      }),
    joined: () => void arrivals++,
  };
}

const MAX_ITEMS = 256;
/** About the duration of a commit. */
const MAX_GATHER_MS = 2;
/** For clocks that stand still. */
const MAX_TICKS = 64;
const savepoint = sql`savepoint item`;
const release = sql`release item`;
const rollback = sql`rollback to item`;
