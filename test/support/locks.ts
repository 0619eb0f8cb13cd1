// Two transactions on PostgreSQL, of which the second waits for the first: the order in which a race goes wrong.
import { sql } from "kysely";
import { expect } from "vitest";
import type { Tx } from "../../src/store/db/transaction.ts";
import type { Store } from "../../src/store/store.ts";
import { eventually } from "./wait.ts";

/**
 * Begins `second` when all of `first` has happened but its commit, which comes when `second` waits for its locks.
 * @param meanwhile the rest of `first`, once `second` waits
 */
export async function overtaken<T>(
  { store, other }: { store: Store; other: Store },
  first: (tx: Tx) => Promise<unknown>,
  second: () => Promise<T>,
  meanwhile: (tx: Tx) => Promise<unknown> = async () => {},
): Promise<T> {
  const commit = await holdUncommitted(other, first, meanwhile);
  const late = second();
  await eventually(async () => expect(await lockWaits(store)).toBe(1));
  await commit();
  return late;
}

/** Carries out `second` to its end when all of `first` has happened but its commit, which comes then. */
export async function whileUncommitted<T>(
  other: Store,
  first: (tx: Tx) => Promise<unknown>,
  second: () => Promise<T>,
): Promise<T> {
  const commit = await holdUncommitted(other, first);
  const result = await second();
  await commit();
  return result;
}

/** Returns when `first` has happened in a transaction that is still open, with the function that ends and commits it. */
async function holdUncommitted(
  store: Store,
  first: (tx: Tx) => Promise<unknown>,
  last: (tx: Tx) => Promise<unknown> = async () => {},
): Promise<() => Promise<void>> {
  const happened = Promise.withResolvers<void>();
  const mayCommit = Promise.withResolvers<void>();
  const committed = store.write(async (tx) => {
    await first(tx);
    happened.resolve();
    await mayCommit.promise;
    await last(tx);
  });
  await happened.promise;
  return () => {
    mayCommit.resolve();
    return committed;
  };
}

async function lockWaits({ db }: Store): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
  return rows[0]?.count ?? 0;
}
