// Migrations on an empty database, again, and from two instances at once.
import { hash } from "node:crypto";
import { sql } from "kysely";
import { Migrator } from "kysely/migration";
import { expect, test } from "vitest";
import { migrations } from "../../migrations/index.ts";
import { DatabaseUnavailable } from "../../src/lib/database-error.ts";
import { canonicalJson } from "../../src/lib/json-text.ts";
import { submit } from "../../src/orchestration/submit-job.ts";
import { incrementCounter } from "../../src/store/counters.ts";
import type { Db } from "../../src/store/db/transaction.ts";
import { findExecution } from "../../src/store/executions.ts";
import { findJob } from "../../src/store/jobs.ts";
import { listRuns, type RunRow } from "../../src/store/runs.ts";
import { assertWritable, databaseBytes, openStore, type Store } from "../../src/store/store.ts";
import { eachDatabase, onPostgres } from "../support/databases.ts";
import { contextOf, sender, submission, tell } from "../support/scene.ts";
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

  test("a start that was in doubt before doubts had reasons stays so, and knows the attempt before it", async () => {
    const { store } = await open({ migrated: false });
    await migrateTo(store.db, "20261122T0050_idempotency");
    await sql`insert into api_keys (name) values ('ann')`.execute(store.db);
    await sql`insert into jobs (id, api_key, status, priority, on_run_failure, on_lost, retry_max_attempts, retry_on,
        served, total, queued, active, collecting, succeeded, failed, cancelled, created_at)
      values ('job_1', 'ann', 'active', 0, 'continue', 'fail', 3, '[]', 0, 1, 0, 1, 0, 0, 0, 0, 1)`.execute(
      store.db,
    );
    await sql`insert into runs (id, job_id, position, spec_position, kind, status, version, attempt, timeout_s,
        execution_id, created_at)
      values ('run_1', 'job_1', 0, 0, 'python', 'active', 0, 2, 60, 'exe_2', 1)`.execute(store.db);
    for (const [id, attempt, phase, status, dueAt, inDoubtAt] of [
      ["exe_1", 1, "closed", "failed", null, null],
      ["exe_2", 2, "submitting", "submitting", 1, 1],
    ])
      await sql`insert into executions (id, run_id, job_id, attempt, phase, status, version, due_at, submitted_at,
          in_doubt_at, unseen_ms, timed_out)
        values (${id}, 'run_1', 'job_1', ${attempt}, ${phase}, ${status}, 0, ${dueAt}, 1, ${inDoubtAt}, 0, 0)`.execute(
        store.db,
      );
    await store.migrate();
    expect(await findExecution(store.db, "exe_1")).toMatchObject({ doubt: null, previousId: null });
    expect(await findExecution(store.db, "exe_2")).toMatchObject({
      doubt: "unanswered",
      previousId: "exe_1",
    });
  });

  test("runs of an earlier version get the outcome that they have or come to", async () => {
    const { store, newId } = await open({ migrated: false });
    await migrateTo(store.db, "20261122T0050_idempotency");
    await insertFormerRuns(store.db);
    await store.migrate();
    const runs = async () => (await listRuns(store.db, "job_1", -1, 100)).map((run) => outcomeOf(run));
    expect(await runs()).toEqual(formerRuns.map(([, , , , , expected]) => expected));
    const context = contextOf({ store, newId });
    for (const [position, [status]] of formerRuns.entries())
      if (status === "collecting") await tell(context, `exe_${position}`, { type: "collected" });
    expect(await runs()).toEqual(formerRuns.map(([, , , , , expected]) => expected));
    const statuses = (await listRuns(store.db, "job_1", -1, 100)).map(({ status }) => status);
    expect(statuses).toEqual(formerRuns.map(([status, , , , , [outcome]]) => outcome ?? status));
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

/** Status of a run and its execution, `timed_out`, `cancel_cause`, the error so far, and the outcome with its code. */
const formerRuns: [string, string | null, 0 | 1, string | null, string | null, (string | null)[]][] = [
  ["queued", null, 0, null, null, [null, null]],
  ["active", "running", 0, null, null, [null, null]],
  ["succeeded", "completed", 0, null, null, ["succeeded", null]],
  ["failed", "lost", 0, null, "lost", ["failed", "lost"]],
  ["cancelled", null, 0, "request", "cancelled", ["cancelled", "cancelled"]],
  ["collecting", "completed", 0, null, null, ["succeeded", null]],
  ["collecting", "completed", 0, "deadline", null, ["succeeded", null]],
  ["collecting", "failed", 0, null, null, ["failed", "failed"]],
  ["collecting", "failed", 1, null, null, ["failed", "timeout"]],
  ["collecting", "failed", 0, "request", null, ["failed", "failed"]],
  ["collecting", "failed", 0, "deadline", null, ["failed", "deadline_exceeded"]],
  ["collecting", "system_failure", 0, "expired", null, ["failed", "expired"]],
  ["collecting", "system_failure", 0, null, null, ["failed", "system_failure"]],
  ["collecting", "aborted", 0, null, null, ["cancelled", "cancelled"]],
  ["collecting", "aborted", 1, null, null, ["failed", "timeout"]],
  ["collecting", "aborted", 1, "run_failure", null, ["cancelled", "cancelled"]],
  ["collecting", "aborted", 0, "deadline", null, ["failed", "deadline_exceeded"]],
  ["collecting", "cancelled", 0, "request", null, ["cancelled", "cancelled"]],
];

async function insertFormerRuns(db: Db): Promise<void> {
  const count = (status: string) => formerRuns.filter(([of]) => of === status).length;
  await sql`insert into api_keys (name) values ('ann')`.execute(db);
  await sql`insert into jobs (id, api_key, status, priority, on_run_failure, on_lost, retry_max_attempts, retry_on, served,
      total, queued, active, collecting, succeeded, failed, cancelled, created_at)
    values ('job_1', 'ann', 'active', 0, 'continue', 'fail', 1, '[]', 0, ${formerRuns.length}, ${count("queued")},
      ${count("active")}, ${count("collecting")}, ${count("succeeded")}, ${count("failed")}, ${count("cancelled")}, 1)`.execute(
    db,
  );
  for (const [position, [status, word, timedOut, cause, code]] of formerRuns.entries()) {
    const [runId, executionId] = [`run_${position}`, word === null ? null : `exe_${position}`];
    const phase =
      status === "collecting"
        ? status
        : word === "lost"
          ? "orphan"
          : word === "running"
            ? "watching"
            : "closed";
    await sql`insert into runs (id, job_id, position, spec_position, kind, status, version, attempt, timeout_s, due_at,
        execution_id, cancel_mode, cancel_cause, error_code, created_at, ended_at)
      values (${runId}, 'job_1', ${position}, 0, 'python', ${status}, 0, 1, 60, ${status === "queued" ? 1 : null},
        ${executionId}, ${cause === null ? null : "abort"}, ${cause}, ${code}, 1,
        ${["queued", "active", "collecting"].includes(status) ? null : 1})`.execute(db);
    if (word === null) continue;
    await sql`insert into executions (id, run_id, job_id, attempt, phase, status, version, due_at, lyceum_execution_id,
        submitted_at, unseen_ms, timed_out)
      values (${executionId}, ${runId}, 'job_1', 1, ${phase}, ${word}, 0, ${phase === "closed" ? null : 1},
        ${`lyc_${position}`}, 1, 0, ${timedOut})`.execute(db);
  }
}

function outcomeOf({ outcome, error_code, error_detail }: RunRow) {
  if (error_code !== null && error_code !== "lost" && error_code !== "cancelled")
    expect(error_detail).toBeTruthy();
  return [outcome, error_code];
}

/** The database as an older version left it. */
async function migrateTo(db: Db, name: string): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateTo(name);
  if (error !== undefined) throw error;
}
