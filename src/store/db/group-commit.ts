// Group commit for the one writer of SQLite: works that arrive in two turns of the event loop share one transaction
// and one fsync. No timer: waiting longer was measured to only lose. A bad work does not fail its neighbours: if
// one throws, all is taken back and carried out again, each work in a savepoint of its own. None is told of success
// before the commit.
import { sql } from "kysely";
import { DatabaseUnavailable } from "../../lib/database-error.ts";
import { whileBusy } from "./busy-retry.ts";
import type { Db, Work } from "./transaction.ts";

/** Carries out works one after the other in the open transaction; answers their results. */
export type RunWorks = (db: Db, works: Work<unknown>[]) => Promise<Performed>;

interface Performed {
  results: unknown[];
  /** To be called after the commit. */
  committed(): void;
}

interface Waiting {
  work: Work<unknown>;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

export function groupCommit(db: Db, perform: RunWorks) {
  const waiting: Waiting[] = [];
  let busy = false;

  async function flush(): Promise<void> {
    const batch = waiting.splice(0, MAX_IN_A_BATCH);
    try {
      if (!(await commitBatch(batch))) await commitOneByOne(batch);
    } catch (error) {
      for (const one of batch) one.reject(error);
    }
    busy = waiting.length > 0;
    // In a turn of its own: SQLite answers without leaving the present one, so that writers who follow each other
    // would keep every request and timer out.
    if (busy) setImmediate(() => void flush());
  }

  /** False when one of several works threw: nothing was written then. */
  async function commitBatch(batch: Waiting[]): Promise<boolean> {
    let hasFailed = false;
    const works = batch.map(({ work }) => work);
    const performAll = async (trx: Db) => {
      try {
        return await perform(trx, works);
      } catch (error) {
        // An unavailable database fails them all.
        hasFailed = !(error instanceof DatabaseUnavailable);
        throw error;
      }
    };
    try {
      const { results, committed } = await whileBusy(() => db.transaction().execute(performAll));
      for (const [index, { resolve }] of batch.entries()) resolve(results[index]);
      committed();
      return true;
    } catch (error) {
      // Who was alone is known to be the bad one; and a commit that failed is not repeated.
      if (hasFailed && batch.length > 1) return false;
      throw error;
    }
  }

  async function commitOneByOne(batch: Waiting[]): Promise<void> {
    let settled: (() => void)[] = [];
    const performEach = async (trx: Db) => {
      settled = [];
      for (const { work, resolve, reject } of batch) {
        await savepoint.execute(trx);
        try {
          const { results, committed } = await perform(trx, [work]);
          settled.push(() => resolve(results[0]), committed);
        } catch (error) {
          await rollback.execute(trx);
          settled.push(() => reject(error));
        }
        await release.execute(trx);
      }
    };
    await whileBusy(() => db.transaction().execute(performEach));
    for (const settle of settled) settle();
  }

  return <T>(work: Work<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      waiting.push({ work, resolve: resolve as Waiting["resolve"], reject });
      if (busy) return;
      busy = true;
      // Those who were answered by the last commit ask again: some of them in this turn, the rest in the next.
      setImmediate(() => setImmediate(() => void flush()));
    });
}

const MAX_IN_A_BATCH = 256;
const savepoint = sql`savepoint one`;
const release = sql`release one`;
const rollback = sql`rollback to one`;
