// Migrations on an empty database, again, and from two instances at once.
import { sql } from "kysely";
import { expect, test } from "vitest";
import { migrations } from "../../migrations/index.ts";
import { DatabaseUnavailable } from "../../src/lib/database-error.ts";
import { incrementCounter } from "../../src/store/counters.ts";
import { assertWritable, databaseBytes, openStore, type Store } from "../../src/store/store.ts";
import { eachDatabase, onPostgres } from "../support/databases.ts";
import { silentWay } from "../support/silence.ts";
import { eventually } from "../support/wait.ts";

const names = Object.keys(migrations);

eachDatabase("migrations", (open) => {
  test("migrations make an empty database ready, and applied again they change nothing", async () => {
    const { store } = await open({ migrated: false });
    expect(await store.isMigrated()).toBe(false);
    expect(await store.migrate()).toEqual(names);
    expect(await store.isMigrated()).toBe(true);
    expect(await store.migrate()).toEqual([]);
  });

  test("migrations survive a restart", async () => {
    const { connect } = await open();
    const restarted = connect();
    expect(await restarted.isMigrated()).toBe(true);
    expect(await restarted.migrate()).toEqual([]);
  });

  test("a migrated database takes writes and knows its size", async () => {
    const { store } = await open();
    await assertWritable(store);
    await assertWritable(store);
    expect(await databaseBytes(store)).toBeGreaterThan(100_000);
  });

  test("a database without its tables is not writable", async () => {
    const { store } = await open({ migrated: false });
    await expect(assertWritable(store)).rejects.toThrow();
  });
});

onPostgres("migrations", (open) => {
  test("two instances that start together apply them once", async () => {
    const { store, connect } = await open({ migrated: false });
    const applied = await Promise.all([store.migrate(), connect().migrate()]);
    expect(applied.flat()).toEqual(names);
  });

  test("an instance outlives the loss of its idle connections", async () => {
    const { store, connect } = await open();
    await disconnectAllBut(connect());
    // The first writes may meet connections whose loss is not known yet.
    await eventually(() => assertWritable(store));
  });

  test("a transaction whose connection is lost is done again on a new one", async () => {
    const { store, connect } = await open();
    const other = connect();
    let tries = 0;
    const written = store.write(async (tx) => {
      const ticks = await incrementCounter(tx.db, "mark", 1);
      if (++tries === 1) await disconnectAllBut(other);
      await incrementCounter(tx.db, "other", 1);
      return ticks;
    });
    expect([await written, tries]).toEqual([1, 2]);
  });

  test("a commit whose answer is lost is not repeated: it may have come through", async () => {
    const { store, connect } = await open();
    const other = connect();
    let tries = 0;
    const written = store.write(async (tx) => {
      tries++;
      await incrementCounter(tx.db, "mark", 1);
      await disconnectAllBut(other);
    });
    await expect(written).rejects.toThrow(DatabaseUnavailable);
    expect(tries).toBe(1);
    expect(await store.write((tx) => incrementCounter(tx.db, "mark", 1))).toBe(1);
  });

  test("an instance outlives connections that fall silent", async () => {
    const { target, store, time, newId } = await open();
    if (target.kind !== "postgres") throw new Error("this is about PostgreSQL");
    const way = await silentWay(target.url);
    const patient = openStore({ ...target, url: way.url, silentMs: 300 }, time, newId);
    await assertWritable(patient);
    way.fallSilent();
    await assertWritable(patient);
    await patient.close();
    way.close();
    await assertWritable(store);
  });

  async function disconnectAllBut(other: Store): Promise<void> {
    const { rows } = await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`.execute(other.db);
    expect(rows).not.toEqual([]);
  }
});
