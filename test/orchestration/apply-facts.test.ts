// The single door: a fact changes run, execution, job, events and wake-ups together, and a stale one nothing.
import { sql } from "kysely";
import { expect, test } from "vitest";
import type { Fact } from "../../src/domain/state-machine/fact.ts";
import { applyFact } from "../../src/orchestration/apply-facts.ts";
import { cancelJob, cancelRun } from "../../src/orchestration/cancel.ts";
import { claimNext } from "../../src/orchestration/claim-runs.ts";
import type { Context } from "../../src/orchestration/context.ts";
import { listArtifacts, nextFetchAts } from "../../src/store/artifacts.ts";
import type { Topic } from "../../src/store/db/transaction.ts";
import { findExecution } from "../../src/store/executions.ts";
import { readLevels } from "../../src/store/queue-stats.ts";
import { findRun, listRuns } from "../../src/store/runs.ts";
import { type Database, eachDatabase, onPostgres } from "../support/databases.ts";
import { claimed, contextOf, ended, jobNow, live, read, recount, submitted, tell } from "../support/scene.ts";

const accepted: Fact = {
  type: "accepted",
  lyceumExecutionId: "lyceum-1",
  status: "running",
  raw: "running",
  found: false,
};

eachDatabase("a fact", (open) => {
  test("a fact moves all that follows from it, and wakes whoever is next", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    const job = await submitted(context, 1);
    const { run, execution } = await live(context);
    const woken: [Topic, number][] = [];
    store.onCommit((topic, dueAt) => void woken.push([topic, dueAt]));
    await tell(context, execution.id, read("completed"));
    expect(woken).toContainEqual(["collect", time.now()]);
    expect(await findRun(store.db, run.id)).toMatchObject({ status: "collecting" });
    expect(await jobNow(store, job.id)).toMatchObject({ status: "active", collecting: 1, active: 0 });
    const wanted = await nextFetchAts(store.db, [execution.id], time.now());
    expect(wanted.get(execution.id)).toBe(time.now());
    await tell(context, execution.id, { type: "collected" });
    expect(await findExecution(store.db, execution.id)).toMatchObject({ phase: "closed", dueAt: null });
    expect(await jobNow(store, job.id)).toMatchObject({
      status: "succeeded",
      ended_at: time.now(),
      ready_at: null,
    });
    const events = await store.db.selectFrom("events").select("type").orderBy("seq").execute();
    expect(events.map((event) => event.type)).toEqual([
      "job.created",
      "run.queued",
      "run.active",
      "execution.submitting",
      "job.active",
      "execution.accepted",
      "execution.pending",
      "execution.completed",
      "run.collecting",
      "run.succeeded",
      "job.succeeded",
    ]);
  });

  test("a fact recorded a second time changes nothing", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    await submitted(context, 1);
    const { run, execution } = await ended(context, "completed");
    const everything = () =>
      Promise.all([
        findRun(store.db, run.id),
        findExecution(store.db, execution.id),
        jobNow(store, run.jobId),
        store.db.selectFrom("events").selectAll().execute(),
      ]);
    const before = await everything();
    const stale: Fact[] = [
      accepted,
      read("failed"),
      { type: "collected" },
      { type: "callback" },
      { type: "outcome_unknown", detail: "" },
      { type: "refused", status: 422, detail: "" },
      { type: "not_taken", retryAt: 0, reason: "" },
      { type: "not_found", askedAt: 0 },
      { type: "cancel", cancellation: { mode: "abort", cause: "request" } },
    ];
    for (const fact of stale) {
      expect(await tell(context, execution.id, fact), fact.type).toMatchObject({ changed: false });
      expect(await everything(), fact.type).toEqual(before);
    }
    expect(await tell(context, "exe_none", read("failed"))).toBeNull();
  });

  test("a fact that the start was not taken gives back the attempt and the row, and the run waits its time", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    const job = await submitted(context, 1);
    const { run, execution } = await claimed(context);
    const retryAt = time.now() + 9_000;
    await tell(context, execution.id, { type: "not_taken", retryAt, reason: "throttled" });
    expect(await findExecution(store.db, execution.id)).toBeNull();
    expect(await findRun(store.db, run.id)).toMatchObject({ status: "queued", attempt: 0, due_at: retryAt });
    expect(await jobNow(store, job.id)).toMatchObject({ status: "active", queued: 1, ready_at: retryAt });
  });

  test("a fact recorded by a transaction that fails is not stored", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    const job = await submitted(context, 1);
    const { execution } = await live(context);
    const before = await jobNow(store, job.id);
    const failing = store.write(async (tx) => {
      await applyFact(context, tx, { executionId: execution.id, fact: read("completed") });
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    expect(await findExecution(store.db, execution.id)).toMatchObject({ phase: "watching" });
    expect(await listArtifacts(store.db, [execution.id])).toEqual([]);
    expect(await jobNow(store, job.id)).toEqual(before);
  });
});

onPostgres("facts recorded at once by several instances", (open) => {
  test("facts recorded at once by several instances about one execution are each applied or stale, never lost", async () => {
    const database = await open();
    const contexts = [database.store, database.connect()].map((store) => contextOf({ ...database, store }));
    const [one = contextOf(database), two = one] = contexts;
    const job = await submitted(one, 20);
    for (let round = 0; round < 10; round++) {
      const { run, execution } = await claimed(one);
      await Promise.all([
        tell(one, execution.id, { ...accepted, lyceumExecutionId: `lyceum-${round}` }),
        tell(two, execution.id, { type: "callback" }),
        cancelRun(two, run.id, { mode: "stop", cause: "request" }),
      ]);
      // All three left their mark, in whatever order they came.
      expect(await findExecution(database.store.db, execution.id)).toMatchObject({
        phase: "watching",
        callbackAt: database.time.now(),
        dueAt: database.time.now(),
      });
      expect(await findRun(database.store.db, run.id)).toMatchObject({ cancel_mode: "stop" });
      const endings = await Promise.all([
        tell(one, execution.id, read("completed")),
        tell(two, execution.id, read("aborted")),
      ]);
      expect(endings.filter((settled) => settled?.changed)).toHaveLength(1);
    }
    expect(await recount(database.store, job.id)).toEqual({ queued: 10, collecting: 10 });
    expect(await jobNow(database.store, job.id)).toMatchObject({ queued: 10, collecting: 10, active: 0 });
    expect(await deadlocks(database, contexts)).toBe(0);
  });

  test("facts recorded at once by several instances about many runs of one job keep its counts, its readiness and its end", async () => {
    const database = await open();
    const { store } = database;
    const contexts = [store, database.connect(), database.connect()].map((store) =>
      contextOf({ ...database, store }),
    );
    const context = contextOf(database);
    const job = await submitted(context, 24, { maxParallel: 24 });
    const alive = [];
    for (let start = 0; start < 18; start++) alive.push(await live(context));
    const rest = (await listRuns(store.db, job.id, 17, 9)).map((run) => run.id);
    await Promise.all(
      alive.map(async ({ execution }, index) => {
        const by = contexts[index % 3] ?? context;
        await tell(by, execution.id, read(index % 2 === 0 ? "completed" : "failed"));
        await tell(by, execution.id, { type: "collected" });
        const restId = rest[index];
        if (restId !== undefined) await cancelRun(by, restId, { mode: "abort", cause: "request" });
      }),
    );
    expect(await recount(store, job.id)).toEqual({ succeeded: 9, failed: 9, cancelled: 6 });
    expect(await jobNow(store, job.id)).toMatchObject({
      status: "failed",
      succeeded: 9,
      failed: 9,
      cancelled: 6,
    });
    expect(await readLevels(store.db)).toMatchObject({ queued: 0, live: 0, withoutWakeup: 0 });
    const ends = store.db.selectFrom("events").select("seq").where("type", "=", "job.failed");
    expect(await ends.execute()).toHaveLength(1);
    expect(await claimNext(context)).toEqual({ nextAt: null });
    expect(await deadlocks(database, [context, ...contexts])).toBe(0);
  });

  test("facts recorded at once by several instances and a cancellation of the whole job do not stand in each other's way", async () => {
    const database = await open();
    const { store } = database;
    const contexts = [store, database.connect()].map((store) => contextOf({ ...database, store }));
    const [one = contextOf(database), two = one] = contexts;
    const job = await submitted(one, 12);
    const alive = [];
    for (let start = 0; start < 6; start++) alive.push(await live(one));
    await Promise.all([
      cancelJob(two, job, { mode: "abort", cause: "request" }),
      ...alive.map(({ execution }) => tell(one, execution.id, read("completed"))),
      claimNext(one),
    ]);
    const counts = await recount(store, job.id);
    expect(counts).toMatchObject({ collecting: 6 });
    expect((counts.cancelled ?? 0) + (counts.active ?? 0)).toBe(6);
    expect(await jobNow(store, job.id)).toMatchObject({
      ...counts,
      queued: 0,
      ready_at: null,
      cancel_mode: "abort",
    });
    const uncancelled = await store.db
      .selectFrom("runs")
      .select("id")
      .where("status", "=", "active")
      .where("cancel_mode", "is", null)
      .execute();
    expect(uncancelled).toEqual([]);
  });
});

/** PostgreSQL counts what a connection met when that is closed. */
async function deadlocks(database: Database, contexts: Context[]): Promise<number> {
  for (const { store } of contexts) await store.close();
  const { rows } = await sql<{ deadlocks: number }>`select deadlocks from pg_stat_database
    where datname = current_database()`.execute(database.connect().db);
  return rows[0]?.deadlocks ?? Number.NaN;
}
