// What many ask for in the same turn of the event loop is carried out as one work: its rows share their statements.
import type { Tx, Work } from "./transaction.ts";

/**
 * Carries out one item, together with those that come at the same time. Each promise resolves once its item is on disk.
 * @param perform answers one result per item, in their order. If it throws, nothing of it was written, and each item
 * is tried by itself: a bad one must not fail its neighbours.
 */
export type WriteTogether = <I, R>(perform: (tx: Tx, items: I[]) => Promise<R[]>, item: I) => Promise<R>;

// biome-ignore lint/suspicious/noExplicitAny: each function's items are its own.
type Perform = (tx: Tx, items: any[]) => Promise<any[]>;
interface Asked {
  item: unknown;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

export function together(write: <T>(work: Work<T>) => Promise<T>): WriteTogether {
  /** Who comes now still joins these. */
  const open = new Map<Perform, Asked[]>();

  async function carryOut(perform: Perform, batch: Asked[]): Promise<void> {
    let isPerformed = false;
    try {
      const results = await write(async (tx) => {
        close(perform, batch);
        isPerformed = false;
        const items = batch.map(({ item }) => item);
        const done = await perform(tx, items);
        isPerformed = true;
        return done;
      });
      for (const [index, { resolve }] of batch.entries()) resolve(results[index]);
    } catch (error) {
      close(perform, batch);
      // A commit that failed may have come through all the same: it must not be repeated.
      if (batch.length === 1 || isPerformed) for (const { reject } of batch) reject(error);
      else for (const one of batch) void carryOut(perform, [one]);
    }
  }

  function close(perform: Perform, batch: Asked[]): void {
    if (open.get(perform) === batch) open.delete(perform);
  }

  return <I, R>(perform: (tx: Tx, items: I[]) => Promise<R[]>, item: I) =>
    new Promise<R>((resolve, reject) => {
      const asked = { item, resolve: resolve as Asked["resolve"], reject };
      const batch = open.get(perform);
      if (batch !== undefined && batch.length < MOST_TOGETHER) return void batch.push(asked);
      const fresh = [asked];
      open.set(perform, fresh);
      void carryOut(perform, fresh);
    });
}

const MOST_TOGETHER = 256;
