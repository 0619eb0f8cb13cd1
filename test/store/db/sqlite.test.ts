// SQLite only: the settings of each connection, and the indexes that the hot statements use.
import { statSync } from "node:fs";
import Sqlite from "better-sqlite3";
import { type CompiledQuery, Kysely, sql } from "kysely";
import { expect, test } from "vitest";
import { incrementCounter } from "../../../src/store/counters.ts";
import { openDialect } from "../../../src/store/db/dialect.ts";
import type { Schema } from "../../../src/store/db/schema.ts";
import type { Db } from "../../../src/store/db/transaction.ts";
import { jobsEndedBefore } from "../../../src/store/deletions.ts";
import { claimDue, nextDueAt, staggerChecks } from "../../../src/store/execution-claims.ts";
import { nextInFairOrder, nextReadyAt } from "../../../src/store/fair-queue.ts";
import { jobsDue, nextJobDueAt } from "../../../src/store/jobs.ts";
import { firstQueuedRuns, nextQueuedRuns } from "../../../src/store/runs.ts";
import type { Store } from "../../../src/store/store.ts";
import { type Database, onSqlite } from "../../support/databases.ts";
import { contextOf, submitted } from "../../support/scene.ts";

onSqlite("a connection", (open) => {
  test("a connection is as durable as its acknowledgements promise, also on a database that was there before", async () => {
    const { store, target, connect } = await open();
    expect(await durability(store)).toEqual(durable);
    await store.close();
    expect(await durability(connect())).toEqual(durable);
    // Such a file, left to the library's defaults, opens with synchronous=NORMAL: the reason for the setting.
    if (target.kind !== "sqlite") throw new Error("not a file");
    const careless = new Sqlite(target.path);
    expect(careless.pragma("synchronous", { simple: true })).toBe(1);
    careless.close();
    expect(await durability(connect())).toEqual(durable);
  });

  test("a connection is made to files that only their owner may read", async () => {
    const { target, store } = await open();
    if (target.kind !== "sqlite") throw new Error("not a file");
    await store.write((tx) => incrementCounter(tx.db, "mark", 1));
    for (const ending of ["", "-wal", "-shm"])
      expect(statSync(target.path + ending).mode & 0o777).toBe(0o600);
  });

  test("a connection says that the disk is full, and takes writes again once it is not", async () => {
    const { store } = await open();
    const limit = (pages: number) => sql`pragma max_page_count = ${sql.lit(pages)}`.execute(store.db);
    await limit(1);
    const body = Buffer.alloc(100_000, 1);
    const write = () =>
      store.write(async (tx) => {
        await tx.db.insertInto("counters").values({ name: body.toString(), value: 1 }).execute();
      });
    await expect(write()).rejects.toThrow(/disk is full/);
    await limit(1_000_000);
    await write();
  });

  test("copies a log of 12 MiB back, and does not stop the process for another one's lock", async () => {
    const { store } = await open();
    const pages = await setting(store, "wal_autocheckpoint");
    expect(Number(pages) * Number(await setting(store, "page_size"))).toBe(12 * 1024 * 1024);
    expect(await setting(store, "busy_timeout")).toBe(10);
  });

  test("a connection keeps the copies that savepoints make of pages out of files", async () => {
    const { store } = await open();
    expect(await setting(store, "temp_store")).toBe(2);
  });
});

const durable = { journal_mode: "wal", synchronous: 2, foreign_keys: 1 };

async function durability(store: Store) {
  return {
    journal_mode: await setting(store, "journal_mode"),
    synchronous: await setting(store, "synchronous"),
    foreign_keys: await setting(store, "foreign_keys"),
  };
}

async function setting(store: Store, name: string): Promise<unknown> {
  const { rows } = await sql<Record<string, unknown>>`pragma ${sql.raw(name)}`.execute(store.db);
  return Object.values(rows[0] ?? {})[0];
}

onSqlite("the plan", (open) => {
  const plans: Record<string, { ask: (db: Db) => Promise<unknown>; uses: string[] }> = {
    "claimDue for checks": { ask: (db) => claimDue(db, "reconcile", 1, 2, 9), uses: ["executions_due"] },
    "claimDue for collecting": {
      ask: (db) => claimDue(db, "collect", 1, 2, 9),
      uses: ["executions_collecting"],
    },
    "nextDueAt for checks": { ask: (db) => nextDueAt(db, "reconcile"), uses: ["executions_due"] },
    "nextDueAt for collecting": { ask: (db) => nextDueAt(db, "collect"), uses: ["executions_collecting"] },
    nextTurns: { ask: (db) => nextInFairOrder(db, 1, 9), uses: ["jobs_ready"] },
    firstQueuedRuns: { ask: (db) => firstQueuedRuns(db, ["job_1", "job_2"], 1), uses: ["runs_queued"] },
    nextQueuedRuns: { ask: (db) => nextQueuedRuns(db, "job_1", 1, 9), uses: ["runs_queued"] },
    jobsDue: { ask: (db) => jobsDue(db, 1, 9), uses: ["jobs_due"] },
    nextJobDueAt: { ask: nextJobDueAt, uses: ["jobs_due"] },
    jobsEndedBefore: {
      ask: (db) => jobsEndedBefore(db, 1, 9),
      uses: ["jobs_ended", "executions_unsettled", "runs_retrying"],
    },
    nextReadyAt: { ask: (db) => nextReadyAt(db, 1), uses: ["jobs_ready"] },
  };

  test.each(Object.entries(plans))(
    "of %s follows a partial index and sorts nothing big",
    async (_name, { ask, uses }) => {
      const database = await open();
      await submitted(contextOf(database), 1);
      const steps = await planOf(database, ask);
      for (const index of uses) expect(steps.join("\n")).toContain(index);
      for (const step of steps) {
        expect(step).not.toMatch(/SCAN (jobs|runs|executions|j)\b/);
        expect(step).not.toContain("TEMP B-TREE");
      }
    },
  );

  test("a restart finds the open executions by partial indexes, however many are closed", async () => {
    const steps = (await planOf(await open(), (db) => staggerChecks(db, 1, "open"))).join("\n");
    expect(steps).toContain("executions_due");
    expect(steps).toContain("executions_collecting");
    expect(steps).not.toMatch(/SCAN executions\b/);
  });
});

/** SQLite's own account of how it will run the statements that are asked. */
async function planOf({ target }: Database, ask: (db: Db) => Promise<unknown>): Promise<string[]> {
  const queries: CompiledQuery[] = [];
  const db = new Kysely<Schema>({
    dialect: openDialect(target),
    log: ({ query }) => void queries.push(query),
  });
  await ask(db);
  const steps: string[] = [];
  for (const query of [...queries]) {
    const explained = { ...query, sql: `explain query plan ${query.sql}` };
    const { rows } = await db.executeQuery<{ detail: string }>(explained);
    steps.push(...rows.map((row) => row.detail));
  }
  await db.destroy();
  return steps;
}
