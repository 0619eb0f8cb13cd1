// Calls of one turn of the event loop become one transaction or one query, in which their rows share statements.
import { DatabaseUnavailable } from "../../lib/database-error.ts";

/**
 * Carries out one item, together with those that come at the same time. Each promise resolves when all of the work is
 * done, which for a writing work means: on disk.
 * @param perform answers one result per item, in their order. If it throws, nothing of it was written, and each item
 * is tried by itself: a bad one must not fail its neighbours.
 */
export type Together<T> = <I, R>(perform: (given: T, items: I[]) => Promise<R[]>, item: I) => Promise<R>;

// biome-ignore lint/suspicious/noExplicitAny: each function's items are its own.
type BatchFunction<T> = (given: T, items: any[]) => Promise<any[]>;
interface Asked {
  item: unknown;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/** @param carryOut must begin the work in a later turn, so that all calls of this one can join it. */
export function createBatcher<T>(carryOut: <R>(work: (given: T) => Promise<R>) => Promise<R>): Together<T> {
  /** Who comes now still joins these. */
  const open = new Map<BatchFunction<T>, Asked[]>();

  async function performAll(perform: BatchFunction<T>, batch: Asked[]): Promise<void> {
    let isPerformed = false;
    try {
      const results = await carryOut(async (given) => {
        close(perform, batch);
        isPerformed = false;
        const items = batch.map(({ item }) => item);
        const done = await perform(given, items);
        isPerformed = true;
        return done;
      });
      for (const [index, { resolve }] of batch.entries()) resolve(results[index]);
    } catch (error) {
      close(perform, batch);
      // A commit that failed may have come through all the same: it must not be repeated. An unavailable database fails all.
      if (batch.length === 1 || isPerformed || error instanceof DatabaseUnavailable)
        for (const { reject } of batch) reject(error);
      else for (const one of batch) void performAll(perform, [one]);
    }
  }

  function close(perform: BatchFunction<T>, batch: Asked[]): void {
    if (open.get(perform) === batch) open.delete(perform);
  }

  return <I, R>(perform: (given: T, items: I[]) => Promise<R[]>, item: I) =>
    new Promise<R>((resolve, reject) => {
      const asked = { item, resolve: resolve as Asked["resolve"], reject };
      const batch = open.get(perform);
      if (batch !== undefined && batch.length < MAX_TOGETHER) return void batch.push(asked);
      const fresh = [asked];
      open.set(perform, fresh);
      void performAll(perform, fresh);
    });
}

const MAX_TOGETHER = 256;
