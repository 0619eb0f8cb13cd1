// Deleting a job: all that belongs to it goes with it, and nothing else.
import { sql } from "kysely";
import { expect, test } from "vitest";
import { cancelJob } from "../../src/orchestration/cancel.ts";
import { deleteJob } from "../../src/orchestration/delete-job.ts";
import { retryRun } from "../../src/orchestration/retry-run.ts";
import { saveArtifacts } from "../../src/store/artifacts.ts";
import { jobsEndedBefore, removeDeleted } from "../../src/store/deletions.ts";
import { readEvents } from "../../src/store/events.ts";
import { submissionsSince } from "../../src/store/executions.ts";
import { listJobs } from "../../src/store/job-list.ts";
import { findJob } from "../../src/store/jobs.ts";
import { listAllRuns } from "../../src/store/run-list.ts";
import type { Store } from "../../src/store/store.ts";
import { createEnforcer } from "../../src/workers/enforce-limits.ts";
import { eachDatabase } from "../support/databases.ts";
import {
  callBack,
  claimed,
  contextOf,
  ended,
  jobNow,
  live,
  removed,
  submitted,
  tell,
} from "../support/scene.ts";

/** Tables whose rows outlive every job. */
const lasting = [
  // Drops a callback of a deleted job when it files it.
  "inbox",
  "api_keys",
  "counters",
  "pauses",
  "start_pause",
  "usage",
  "hardware_usage",
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
  test("deleting a job leaves no row of it in any table, and all rows of others", async () => {
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

    await removed(store, gone.id);
    const after = await countRows(store, kind);
    for (const table of tables) expect(after[table], table).toBe(before[table]);
    expect((await submitted(context, 2, {}, { idempotencyKey: "kept" })).id).toBe(kept.id);
    expect((await submitted(context, 1, {}, { idempotencyKey: "gone" })).id).not.toBe(gone.id);

    /** A callback and an artifact. */
    async function withMore({ execution }: { execution: { id: string } }) {
      const executionId = execution.id;
      const body = Buffer.from("{}");
      await callBack(context, { executionId, contentType: null, body, truncated: false });
      await saveArtifacts(store.db, [{ executionId, kind: "logs", state: "stored", dueAt: null, tries: 1 }]);
    }
  });

  test("deleting a job hides all of it at once, and removes a bounded number of rows at a time, the job's own last", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    const job = await submitted(context, 450, {}, { idempotencyKey: "big" });
    await cancelJob(context, job, { mode: "abort", cause: "request" });
    while ((await jobNow(store, job.id)).ended_at === null) await createEnforcer(context).runOnce();
    expect(await mark(store, job.id)).toBe(true);

    expect(await findJob(store.db, job.id)).toBeNull();
    expect((await listJobs(store.db, {}, 9)).rows).toEqual([]);
    expect((await listAllRuns(store.db, { key: null }, null, 9)).rows).toEqual([]);
    expect((await readEvents(store.db, { owner: null }, 0, 9)).events).toEqual([]);
    const seen: [runs: number, jobs: number][] = [];
    while (await store.write((tx) => removeDeleted(tx.db))) {
      const { runs = 0, jobs = 0 } = await countRows(store, kind);
      seen.push([runs, jobs]);
    }
    expect(seen).toEqual([
      [250, 1],
      [50, 1],
      [0, 0],
    ]);
  });

  test("deleting a job is for jobs that have ended long enough ago and have nothing under way", async () => {
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
    for (const { id } of [retried, alive, { id: "job_none" }]) expect(await mark(store, id)).toBe(false);
    expect(await mark(store, old.id)).toBe(true);
    expect(await mark(store, old.id)).toBe(false);
    expect(await jobsEndedBefore(store.db, time.now() + 1, 9)).toEqual([recent.id]);
  });

  test("starts of a deleted job still count in the limit after a restart, until they are too old", async () => {
    const { store, ...database } = await open();
    const context = contextOf({ store, ...database });
    const starts: number[] = [];
    for (let n = 0; n < 3; n++) {
      await submitted(context, 1);
      const { execution, run } = await ended(context, "completed");
      starts.push(execution.submittedAt);
      if (n < 2) expect(await mark(store, run.jobId)).toBe(true);
      database.time.pass(1_000);
    }
    const [first = 0, second = 0, third = 0] = starts;
    const remove = (since: number) => store.write((tx) => removeDeleted(tx.db, since));
    while (await remove(first));
    expect(await submissionsSince(store.db, 0)).toEqual([second, third]);
    await submitted(context, 1);
    const last = await ended(context, "completed");
    await mark(store, last.run.jobId);
    while (await remove(second));
    expect(await submissionsSince(store.db, 0)).toEqual([third, last.execution.submittedAt]);
  });

  test("deleting a job waits for as long after the end of a run that was retried by hand", async () => {
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

  test("deleting a job waits while a lost execution is watched for: it may show up and cost money", async () => {
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
    expect(await mark(store, job.id)).toBe(false);
    for (let n = 0; n < 60; n++) await search();
    expect(await jobsEndedBefore(store.db, time.now(), 9)).toEqual([job.id]);
    expect(await mark(store, job.id)).toBe(true);
  });
});

const mark = (store: Store, jobId: string) =>
  store.write((tx) => deleteJob(tx, jobId, { remembersKey: false }));

async function countRows({ db }: Store, kind: string): Promise<Record<string, number>> {
  const names = await sql<{ name: string }>`${sql.raw(
    kind === "sqlite"
      ? "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
      : "select tablename as name from pg_tables where schemaname = 'public'",
  )}`.execute(db);
  const counts: Record<string, number> = {};
  for (const { name } of names.rows.filter(({ name }) => !name.startsWith("kysely_"))) {
    const { rows } = await sql<{ rows: number }>`select count(*) as rows from ${sql.table(name)}`.execute(db);
    counts[name] = Number(rows[0]?.rows);
  }
  return counts;
}
