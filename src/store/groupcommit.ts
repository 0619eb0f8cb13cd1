// Group commit for the one writer of SQLite: works that arrive in one turn of the event loop share one
// transaction and one fsync. No timer: waiting on purpose was measured to only lose. Each work stands in its own
// savepoint, so that a bad one does not fail its neighbours; none is told of success before the commit.
import { sql } from "kysely";
import type { Db, Performed, Work } from "./transaction.ts";

type Perform = <T>(db: Db, work: Work<T>) => Promise<Performed<T>>;
interface Waiting {
  work: Work<unknown>;
  resolve(performed: Performed<unknown>): void;
  reject(error: unknown): void;
}

export function groupCommit(db: Db, perform: Perform) {
  const waiting: Waiting[] = [];
  let busy = false;

  async function flush(): Promise<void> {
    const batch = waiting.splice(0, MOST_IN_A_BATCH);
    const settled: (() => void)[] = [];
    try {
      await db.transaction().execute(async (trx) => {
        // Who is alone needs no savepoint: the transaction is one.
        const carryOut = batch.length === 1 ? attempt : attemptApart;
        for (const one of batch) settled.push(await carryOut(trx, one));
      });
      for (const settle of settled) settle();
    } catch (error) {
      for (const one of batch) one.reject(error);
    }
    busy = waiting.length > 0;
    // In a turn of its own: SQLite answers without leaving the present one, so that writers who follow each other
    // would keep every request and timer out.
    if (busy) setImmediate(() => void flush());
  }

  async function attempt(trx: Db, { work, resolve }: Waiting): Promise<() => void> {
    const performed = await perform(trx, work);
    return () => resolve(performed);
  }

  async function attemptApart(trx: Db, waiting: Waiting): Promise<() => void> {
    await savepoint.execute(trx);
    try {
      const settle = await attempt(trx, waiting);
      await release.execute(trx);
      return settle;
    } catch (error) {
      await rollback.execute(trx);
      await release.execute(trx);
      return () => waiting.reject(error);
    }
  }

  return <T>(work: Work<T>): Promise<Performed<T>> =>
    new Promise((resolve, reject) => {
      waiting.push({ work, resolve: resolve as Waiting["resolve"], reject });
      if (busy) return;
      busy = true;
      setImmediate(() => void flush());
    });
}

const MOST_IN_A_BATCH = 256;
const savepoint = sql`savepoint one`;
const release = sql`release one`;
const rollback = sql`rollback to one`;
