// A retry by hand: a new run in the same job, whatever became of the job.
import { expect, test } from "vitest";
import type { Cancellation } from "../../src/domain/run.ts";
import { cancelJob } from "../../src/orchestration/cancel.ts";
import { claimNext } from "../../src/orchestration/claim-runs.ts";
import { retryRun } from "../../src/orchestration/retry-run.ts";
import { findExecution } from "../../src/store/executions.ts";
import { findRun, listRuns } from "../../src/store/runs.ts";
import { eachDatabase, onPostgres } from "../support/databases.ts";
import {
  claimed,
  contextOf,
  ended,
  jobNow,
  live,
  read,
  recount,
  spec,
  submitted,
  tell,
} from "../support/scene.ts";

const abort: Cancellation = { mode: "abort", cause: "request" };

eachDatabase("a retry by hand", (open) => {
  test("a retry by hand in a terminal job runs, and the job's status stays", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    const runs = [{ spec: { ...spec, name: "a", code: "print(7)" }, matrix: { LR: ["0.1"] } }];
    const job = await submitted(context, 0, { runs });
    const origin = await ended(context, "failed");
    const failed = await jobNow(store, job.id);
    time.pass(5_000);
    const retried = await retryRun(context, failed, origin.run.id);
    if (retried.type !== "created") throw new Error(`the retry was answered ${retried.type}`);
    expect(retried.run).toMatchObject({
      status: "queued",
      position: 1,
      attempt: 0,
      retry_of: origin.run.id,
      name: "a",
      matrix: '{"LR":"0.1"}',
    });
    expect(await jobNow(store, job.id)).toMatchObject({
      status: "failed",
      ended_at: failed.ended_at,
      queued: 1,
      total: 2,
    });
    const again = await ended(context, "completed");
    expect(again.run.id).toBe(retried.run.id);
    expect(again.spec).toEqual({ ...spec, name: "a", code: "print(7)", env: { LR: "0.1" } });
    expect(await jobNow(store, job.id)).toMatchObject({
      status: "failed",
      ended_at: failed.ended_at,
      ready_at: null,
      succeeded: 1,
    });
    const events = await store.db
      .selectFrom("events")
      .select("type")
      .where("type", "like", "job.%")
      .execute();
    expect(events.map((event) => event.type)).toEqual(["job.created", "job.active", "job.failed"]);
  });

  test("a retry by hand in a cancelled job runs, too", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    const job = await submitted(context, 2);
    await cancelJob(context, job, abort);
    const [first] = await listRuns(store.db, job.id, -1, 1);
    const retried = await retryRun(context, await jobNow(store, job.id), first?.id ?? "");
    expect(retried.type).toBe("created");
    await ended(context, "completed");
    expect(await jobNow(store, job.id)).toMatchObject({ status: "cancelled", succeeded: 1, cancelled: 2 });
  });

  test("a retry by hand is cancelled with its job, though that has ended before", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    const job = await submitted(context, 1);
    const origin = await ended(context, "failed");
    await retryRun(context, await jobNow(store, job.id), origin.run.id);
    const alive = await live(context);
    const other = await retryRun(context, await jobNow(store, job.id), origin.run.id);
    if (other.type !== "created") throw new Error(`the retry was answered ${other.type}`);
    await cancelJob(context, await jobNow(store, job.id), abort);
    expect(await findRun(store.db, alive.run.id)).toMatchObject({ status: "active", cancel_mode: "abort" });
    expect(await findExecution(store.db, alive.execution.id)).toMatchObject({ dueAt: time.now() });
    expect(await findRun(store.db, other.run.id)).toMatchObject({ status: "cancelled" });
    await tell(context, alive.execution.id, read("aborted"));
    await tell(context, alive.execution.id, { type: "collected" });
    await cancelJob(context, await jobNow(store, job.id), abort);
    expect(await jobNow(store, job.id)).toMatchObject({ status: "failed", cancelled: 2, due_at: null });
  });

  test("a retry by hand waits for its place under max_parallel and for its turn after what has waited longer", async () => {
    const database = await open();
    const { time } = database;
    const context = contextOf(database);
    const job = await submitted(context, 3, { maxParallel: 1 });
    const failed = await ended(context, "failed");
    const alive = await live(context);
    time.pass(1_000);
    expect((await retryRun(context, job, failed.run.id)).type).toBe("created");
    expect(await claimNext(context)).toEqual({ nextAt: null });
    await tell(context, alive.execution.id, {
      type: "snapshot",
      by: "poll",
      askedAt: 0,
      snapshot: { status: "completed", raw: "completed", timedOut: false },
    });
    const next = await claimed(context);
    expect(await findRun(database.store.db, next.run.id)).toMatchObject({ position: 2, retry_of: null });
  });

  test("a retry by hand is refused while the run has not ended, once it succeeded, and when it is gone", async () => {
    const database = await open();
    const context = contextOf(database);
    const job = await submitted(context, 2);
    const alive = await live(context);
    const over = await ended(context, "completed");
    for (const runId of [alive.run.id, over.run.id, "run_none"]) {
      expect((await retryRun(context, job, runId)).type).toBe("refused");
    }
    expect(await jobNow(database.store, job.id)).toMatchObject({ total: 2 });
  });

  test("a retry by hand is refused while the job is being cancelled, also when who retries does not know it yet", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    const asSeen = await submitted(context, 3);
    const failed = await ended(context, "failed");
    await live(context);
    await cancelJob(context, asSeen, abort);
    const before = await jobNow(store, asSeen.id);
    expect((await retryRun(context, asSeen, failed.run.id)).type).toBe("refused");
    expect(await jobNow(store, asSeen.id)).toEqual(before);
  });
});

onPostgres("retries by hand", (open) => {
  test("retries by hand from many sides at once each make a run of their own", async () => {
    const database = await open();
    const contexts = [database.store, database.connect()].map((store) => contextOf({ ...database, store }));
    const context = contextOf(database);
    const job = await submitted(context, 1);
    const { run } = await ended(context, "failed");
    const retries = Array.from({ length: 8 }, (_, index) =>
      retryRun(contexts[index % 2] ?? context, job, run.id),
    );
    const outcomes = await Promise.all(retries);
    expect(outcomes.map((retried) => retried.type)).toEqual(Array(8).fill("created"));
    const runs = await listRuns(database.store.db, job.id, -1, 99);
    expect(runs.map((run) => run.position)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await recount(database.store, job.id)).toEqual({ failed: 1, queued: 8 });
    expect(await jobNow(database.store, job.id)).toMatchObject({ total: 9, queued: 8 });
  });
});
