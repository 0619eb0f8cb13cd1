// Items given to the same function in one tick of the event loop share a transaction or a query.
import { DatabaseUnavailable } from "../../lib/database-error.ts";

/** Runs a batch. Returns one result per item, in their order. If it throws, nothing was written. */
// biome-ignore lint/suspicious/noExplicitAny: each function has items and results of its own type.
type RunBatch<C> = (connection: C, items: any[]) => Promise<any[]>;

/**
 * Adds an item to the open batch of `run`; resolves when the batch is done: for a write, when it is on disk. If `run`
 * throws, each item runs alone, so that a bad item fails alone.
 */
export type Batcher<C> = <I, R>(run: (connection: C, items: I[]) => Promise<R[]>, item: I) => Promise<R>;

interface Item {
  value: unknown;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

interface Limits {
  /** Batches of one function under way; items that come meanwhile share the next one. */
  maxAtOnce?: number;
  maxItems?: number;
  /** Called when an item joins a batch that waits. */
  onJoin?(): void;
}

/** @param connect calls its argument in a later tick, so that all items of this tick join the batch */
export function createBatcher<C>(
  connect: <R>(use: (connection: C) => Promise<R>) => Promise<R>,
  { maxAtOnce = Number.POSITIVE_INFINITY, maxItems = 256, onJoin = () => {} }: Limits = {},
): Batcher<C> {
  const openBatches = new Map<RunBatch<C>, Item[]>();
  const queues = new Map<RunBatch<C>, { running: number; waiting: Item[][] }>();

  async function enqueue(run: RunBatch<C>, batch: Item[]): Promise<void> {
    const queue = queues.get(run) ?? { running: 0, waiting: [] };
    queues.set(run, queue);
    if (queue.running >= maxAtOnce) return void queue.waiting.push(batch);
    queue.running++;
    await runBatch(run, batch);
    queue.running--;
    const next = queue.waiting.shift();
    if (next !== undefined) return enqueue(run, next);
    if (queue.running === 0) queues.delete(run);
  }

  async function runBatch(run: RunBatch<C>, batch: Item[]): Promise<void> {
    let hasRun = false;
    try {
      const results = await connect(async (connection) => {
        close(run, batch);
        hasRun = false;
        const results = await run(
          connection,
          batch.map(({ value }) => value),
        );
        hasRun = true;
        return results;
      });
      for (const [index, { resolve }] of batch.entries()) resolve(results[index]);
    } catch (error) {
      close(run, batch);
      // After `hasRun` the failed commit may have succeeded, so it is not repeated. An unavailable database fails all.
      if (batch.length === 1 || hasRun || error instanceof DatabaseUnavailable)
        for (const { reject } of batch) reject(error);
      else await Promise.all(batch.map((item) => runBatch(run, [item])));
    }
  }

  function close(run: RunBatch<C>, batch: Item[]): void {
    if (openBatches.get(run) === batch) openBatches.delete(run);
  }

  return <I, R>(run: (connection: C, items: I[]) => Promise<R[]>, value: I) =>
    new Promise<R>((resolve, reject) => {
      const item = { value, resolve: resolve as Item["resolve"], reject };
      const open = openBatches.get(run);
      if (open !== undefined && open.length < maxItems) {
        open.push(item);
        return onJoin();
      }
      const batch = [item];
      openBatches.set(run, batch);
      void enqueue(run, batch);
    });
}
