// Deleting a job: all that belongs to it goes with it, and nothing else.
import { sql } from "kysely";
import { expect, test } from "vitest";
import { receiveCallback } from "../../src/orchestration/receive-callback.ts";
import { retryRun } from "../../src/orchestration/retry-run.ts";
import { saveArtifacts } from "../../src/store/artifacts.ts";
import { deleteJob, jobsEndedBefore } from "../../src/store/jobs.ts";
import type { Store } from "../../src/store/store.ts";
import { eachDatabase } from "../support/databases.ts";
import { claimed, contextOf, ended, jobNow, live, submitted, tell } from "../support/scene.ts";

/** Tables whose rows outlive every job. */
const lasting = [
  "api_keys",
  "counters",
  "pauses",
  "start_pause",
  "usage",
  "machine_types",
  "webhooks",
  "deliveries",
  "deleted_keys",
  "sessions",
  "instances",
  "places",
  "quotas",
  "roles",
  "found_starts",
  "strays",
  "stats",
];

eachDatabase("deleting a job", (open, kind) => {
  test("leaves no row of it in any table, and all rows of others", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    const kept = await submitted(context, 2, {}, { idempotencyKey: "kept" });
    await withMore(await ended(context, "completed"));
    await ended(context, "failed");
    const before = await countRows(store, kind);
    const gone = await submitted(context, 3, {}, { idempotencyKey: "gone" });
    for (const status of ["completed", "failed", "system_failure"] as const)
      await withMore(await ended(context, status));
    const tables = Object.keys(before).filter((table) => !lasting.includes(table));
    const between = await countRows(store, kind);
    for (const table of tables) expect(between[table], table).toBeGreaterThan(before[table] ?? 0);

    expect(await store.write((tx) => deleteJob(tx.db, gone.id))).toBe(true);
    const after = await countRows(store, kind);
    for (const table of tables) expect(after[table], table).toBe(before[table]);
    expect((await submitted(context, 2, {}, { idempotencyKey: "kept" })).id).toBe(kept.id);
    expect((await submitted(context, 1, {}, { idempotencyKey: "gone" })).id).not.toBe(gone.id);

    /** A callback and an artifact. */
    async function withMore({ execution }: { execution: { id: string } }) {
      const executionId = execution.id;
      const body = Buffer.from("{}");
      await receiveCallback(context, { executionId, contentType: null, body, truncated: false });
      await saveArtifacts(store.db, [{ executionId, kind: "logs", state: "stored", dueAt: null, tries: 1 }]);
    }
  });

  test("is for jobs that have ended long enough ago and have nothing under way", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    const old = await submitted(context, 1);
    await ended(context, "completed");
    time.pass(1_000);
    const retried = await submitted(context, 1);
    const { run } = await ended(context, "failed");
    await retryRun(context, retried, run.id);
    time.pass(1_000);
    const recent = await submitted(context, 1);
    // The retried run is claimed first: its key's other job has waited shorter.
    await live(context);
    await ended(context, "completed");
    const alive = await submitted(context, 1);
    expect(await jobsEndedBefore(store.db, time.now(), 9)).toEqual([old.id]);
    expect(await jobsEndedBefore(store.db, time.now() + 1, 9)).toEqual([old.id, recent.id]);
    expect(await jobsEndedBefore(store.db, time.now() + 1, 1)).toEqual([old.id]);
    for (const job of [retried, alive]) expect(await deleteJob(store.db, job.id)).toBe(false);
    expect(await deleteJob(store.db, "job_none")).toBe(false);
  });

  test("waits for as long after the end of a run that was retried by hand", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    const job = await submitted(context, 1);
    const { run } = await ended(context, "failed");
    time.pass(60_000);
    await retryRun(context, await jobNow(store, job.id), run.id);
    await ended(context, "completed");
    expect(await jobsEndedBefore(store.db, time.now(), 9)).toEqual([]);
    expect(await jobsEndedBefore(store.db, time.now() + 1, 9)).toEqual([job.id]);
  });

  test("waits while a lost execution is watched for: it may show up and cost money", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    const job = await submitted(context, 1);
    const { execution } = await claimed(context);
    await tell(context, execution.id, { type: "outcome_unknown", detail: "reset" });
    const search = async () => {
      time.pass(60_000);
      await tell(context, execution.id, { type: "not_found", askedAt: time.now() });
    };
    for (let n = 0; n < 5; n++) await search();
    expect(await jobNow(store, job.id)).toMatchObject({ status: "failed" });
    expect(await jobsEndedBefore(store.db, time.now(), 9)).toEqual([]);
    expect(await deleteJob(store.db, job.id)).toBe(false);
    for (let n = 0; n < 60; n++) await search();
    expect(await jobsEndedBefore(store.db, time.now(), 9)).toEqual([job.id]);
    expect(await deleteJob(store.db, job.id)).toBe(true);
  });
});

async function countRows({ db }: Store, kind: string): Promise<Record<string, number>> {
  const names = await sql<{ name: string }>`${sql.raw(
    kind === "sqlite"
      ? "select name from sqlite_master where type = 'table'"
      : "select tablename as name from pg_tables where schemaname = 'public'",
  )}`.execute(db);
  const counts: Record<string, number> = {};
  for (const { name } of names.rows.filter(({ name }) => !name.startsWith("kysely_"))) {
    const { rows } = await sql<{ rows: number }>`select count(*) as rows from ${sql.table(name)}`.execute(db);
    counts[name] = Number(rows[0]?.rows);
  }
  return counts;
}
