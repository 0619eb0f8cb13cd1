// Migrations on an empty database, again, and from two instances at once.
import { hash } from "node:crypto";
import { sql } from "kysely";
import { Migrator } from "kysely/migration";
import { expect, test } from "vitest";
import { migrations } from "../../migrations/index.ts";
import { canonicalJson } from "../../src/domain/jsontext.ts";
import { submit } from "../../src/orchestration/submit.ts";
import { nextTicks } from "../../src/store/counters.ts";
import { assertWritable, databaseBytes, openStore, type Store } from "../../src/store/database.ts";
import { openDialect } from "../../src/store/dialect.ts";
import { findJob } from "../../src/store/jobs.ts";
import type { Db } from "../../src/store/transaction.ts";
import { eachDatabase, onPostgres } from "../support/databases.ts";
import { contextOf, sender, submission } from "../support/scene.ts";
import { silentWay } from "../support/silence.ts";
import { eventually } from "../support/wait.ts";

const names = Object.keys(migrations);

eachDatabase("migrations", (open) => {
  test("make an empty database ready, and applied again they change nothing", async () => {
    const { store } = await open({ migrated: false });
    expect(await store.isMigrated()).toBe(false);
    expect(await store.migrate()).toEqual(names);
    expect(await store.isMigrated()).toBe(true);
    expect(await store.migrate()).toEqual([]);
  });

  test("survive a restart", async () => {
    const { connect } = await open();
    const restarted = connect();
    expect(await restarted.isMigrated()).toBe(true);
    expect(await restarted.migrate()).toEqual([]);
  });

  test("idempotency keys that were used before they stood with their jobs are still known", async () => {
    const { store, newId } = await open({ migrated: false });
    await migrateTo(store.db, "20261122T0040_pauses");
    await sql`insert into api_keys (name) values ('ann')`.execute(store.db);
    for (const id of ["job_1", "job_2"])
      await sql`insert into jobs (id, api_key, status, priority, on_run_failure, on_lost, retry_max_attempts, retry_on,
          served, total, queued, active, collecting, succeeded, failed, cancelled, created_at)
        values (${id}, 'ann', 'queued', 0, 'continue', 'fail', 1, '[]', 0, 1, 1, 0, 0, 0, 0, 0, 1)`.execute(
        store.db,
      );
    const bodyHash = hash("sha256", canonicalJson(sender.body), "base64url");
    await sql`insert into idempotency_keys values ('ann', 'k', ${bodyHash}, 'job_2')`.execute(store.db);
    await store.migrate();
    const again = await submit(
      contextOf({ store, newId }),
      { ...sender, idempotencyKey: "k" },
      submission(1),
    );
    expect(again).toMatchObject({ outcome: "replayed", job: { id: "job_2" } });
    expect(await findJob(store.db, "job_1")).toMatchObject({ idempotency_key: null, body_hash: null });
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

  test("an instance outlives the loss of a connection within a transaction, which then counts for nothing", async () => {
    const { store, connect } = await open();
    const interrupted = store.write(async (tx) => {
      await nextTicks(tx.db, "mark", 1);
      await disconnectAllBut(connect());
    });
    await expect(interrupted).rejects.toThrow();
    expect(await store.write((tx) => nextTicks(tx.db, "mark", 1))).toBe(1);
  });

  test("an instance outlives connections that fall silent", async () => {
    const { target, store, time, newId } = await open();
    if (target.kind !== "postgres") throw new Error("this is about PostgreSQL");
    const way = await silentWay(target.url);
    const through = { ...target, url: way.url };
    const patient = openStore(through, time, newId, openDialect(through, 300));
    await assertWritable(patient);
    way.fallSilent();
    await expect(assertWritable(patient)).rejects.toThrow();
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

/** The database as an older version left it. */
async function migrateTo(db: Db, name: string): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateTo(name);
  if (error !== undefined) throw error;
}
