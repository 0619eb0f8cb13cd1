// Cancelling a run or a job, in each of its states, by request, by deadline and because another run failed.
import { expect, test } from "vitest";
import type { Cancellation } from "../../src/domain/run.ts";
import { cancelJob, cancelRun } from "../../src/orchestration/cancel.ts";
import { claimNext } from "../../src/orchestration/claim-runs.ts";
import type { Context } from "../../src/orchestration/context.ts";
import { enforceLimits } from "../../src/orchestration/enforce-limits.ts";
import { nextDueAt } from "../../src/store/execution-claims.ts";
import { findExecution } from "../../src/store/executions.ts";
import { findRun, listRuns } from "../../src/store/runs.ts";
import { type Database, eachDatabase } from "../support/databases.ts";
import { claimed, contextOf, ended, jobNow, live, read, recount, submitted, tell } from "../support/scene.ts";

const stop: Cancellation = { mode: "stop", cause: "request" };
const abort: Cancellation = { mode: "abort", cause: "request" };

eachDatabase("cancelling a run", (open) => {
  test("cancelling a run that is queued ends it at once, and the job goes on with the others", async () => {
    const { context, store } = await scene(await open());
    const job = await submitted(context, 2);
    const [run] = await listRuns(store.db, job.id, -1, 1);
    await cancelRun(context, run?.id ?? "", abort);
    expect(await findRun(store.db, run?.id ?? "")).toMatchObject({
      status: "cancelled",
      error_code: "cancelled",
      cancel_cause: "request",
    });
    expect(await jobNow(store, job.id)).toMatchObject({ status: "active", queued: 1, cancelled: 1 });
    expect((await claimed(context)).run.id).not.toBe(run?.id);
  });

  test("cancelling a run that is being submitted waits for the answer, and is then due at once", async () => {
    const { context, store, time } = await scene(await open());
    await submitted(context, 1);
    const { run, execution } = await claimed(context);
    await cancelRun(context, run.id, abort);
    expect(await findExecution(store.db, execution.id)).toMatchObject({ dueAt: execution.dueAt });
    const answer = {
      lyceumExecutionId: "lyceum-1",
      status: "running" as const,
      raw: "running",
      found: false,
    };
    await tell(context, execution.id, { type: "accepted", ...answer });
    expect(await nextDueAt(store.db, "reconcile")).toBe(time.now());
  });

  test("cancelling a run that is live makes its check due, and Lyceum's word ends it", async () => {
    const { context, store, time } = await scene(await open());
    const job = await submitted(context, 1);
    const { run, execution } = await live(context);
    await cancelRun(context, run.id, stop);
    expect(await nextDueAt(store.db, "reconcile")).toBe(time.now());
    expect(await findRun(store.db, run.id)).toMatchObject({ status: "active", cancel_mode: "stop" });
    await cancelRun(context, run.id, abort);
    await cancelRun(context, run.id, stop);
    expect(await findRun(store.db, run.id)).toMatchObject({ status: "active", cancel_mode: "abort" });
    await tell(context, execution.id, { type: "cancel_sent", mode: "abort" });
    await tell(context, execution.id, read("aborted"));
    await tell(context, execution.id, { type: "collected" });
    expect(await findRun(store.db, run.id)).toMatchObject({ status: "cancelled" });
    expect(await jobNow(store, job.id)).toMatchObject({ status: "cancelled", cancelled: 1 });
  });

  test("cancelling a run that has ended at Lyceum or altogether changes nothing", async () => {
    const { context, store } = await scene(await open());
    await submitted(context, 2);
    const collecting = await live(context);
    await tell(context, collecting.execution.id, read("completed"));
    const over = await ended(context, "completed");
    for (const { run } of [collecting, over]) {
      const before = await findRun(store.db, run.id);
      await cancelRun(context, run.id, abort);
      expect(await findRun(store.db, run.id)).toEqual(before);
    }
    await cancelRun(context, "run_none", abort);
  });
});

eachDatabase("cancelling a job", (open, kind) => {
  test("cancelling a job reaches the queued and the live runs, and not those that have ended", async () => {
    const { context, store } = await scene(await open());
    const job = await submitted(context, 4);
    await ended(context, "completed");
    const collecting = await live(context);
    await tell(context, collecting.execution.id, read("completed"));
    const alive = await live(context);
    await cancelJob(context, job, abort);
    expect(await recount(store, job.id)).toEqual({ succeeded: 1, collecting: 1, active: 1, cancelled: 1 });
    expect(await findRun(store.db, alive.run.id)).toMatchObject({ cancel_mode: "abort" });
    expect(await claimNext(context)).toEqual({ nextAt: null });
    await tell(context, collecting.execution.id, { type: "collected" });
    await tell(context, alive.execution.id, read("aborted"));
    await tell(context, alive.execution.id, { type: "collected" });
    expect(await jobNow(store, job.id)).toMatchObject({
      status: "cancelled",
      succeeded: 2,
      cancelled: 2,
      due_at: null,
    });
  });

  test("a second cancellation only ever hardens: stop may become abort, abort stays", async () => {
    const { context, store } = await scene(await open());
    const job = await submitted(context, 2);
    const { run } = await live(context);
    await cancelJob(context, job, stop);
    expect(await findRun(store.db, run.id)).toMatchObject({ cancel_mode: "stop" });
    await cancelJob(context, await jobNow(store, job.id), abort);
    expect(await findRun(store.db, run.id)).toMatchObject({ cancel_mode: "abort" });
    await cancelJob(context, await jobNow(store, job.id), stop);
    expect(await jobNow(store, job.id)).toMatchObject({ cancel_mode: "abort", cancel_cause: "request" });
  });

  test("cancelling a job that is terminal changes nothing, also when its end was not known to who cancels", async () => {
    const { context, store } = await scene(await open());
    const asSeen = await submitted(context, 1);
    await ended(context, "completed");
    const before = await jobNow(store, asSeen.id);
    await cancelJob(context, asSeen, abort);
    expect(await jobNow(store, asSeen.id)).toEqual(before);
  });

  test("cancelling a job of many runs is spread in rounds of a bounded size, and nothing starts meanwhile", async () => {
    const { context, store, time } = await scene(await open());
    // PostgreSQL takes its time over so many statements, and what is tested does not depend on their number.
    const total = kind === "sqlite" ? 10_000 : 1_000;
    const job = await submitted(context, total);
    await live(context);
    await cancelJob(context, job, abort);
    const first = await jobNow(store, job.id);
    expect(first).toMatchObject({ status: "active", cancelled: 199, ready_at: null, due_at: time.now() });
    expect(await claimNext(context)).toEqual({ nextAt: null });
    let rounds = 1;
    for (let left = first.queued; left > 0; rounds++) {
      expect(await enforceLimits(context)).toBe(time.now());
      const { queued } = await jobNow(store, job.id);
      expect(left - queued).toBeLessThanOrEqual(200);
      left = queued;
    }
    expect(rounds).toBe(total / 200);
    expect(await enforceLimits(context)).toBeNull();
    expect(await jobNow(store, job.id)).toMatchObject({ status: "active", active: 1, cancelled: total - 1 });
  }, 120_000);
});

eachDatabase("the end of a job", (open) => {
  test("the end of a job comes at its deadline, which fails the remaining runs, once", async () => {
    const { context, store, time } = await scene(await open());
    const job = await submitted(context, 3, { deadlineS: 60 });
    await ended(context, "completed");
    const alive = await live(context);
    time.pass(59_999);
    expect(await enforceLimits(context)).toBe(job.deadline_at);
    expect(await jobNow(store, job.id)).toMatchObject({ queued: 1, cancel_mode: null });
    time.pass(1);
    expect(await enforceLimits(context)).toBeNull();
    expect(await jobNow(store, job.id)).toMatchObject({ queued: 0, failed: 1, cancel_cause: "deadline" });
    await tell(context, alive.execution.id, read("aborted"));
    await tell(context, alive.execution.id, { type: "collected" });
    expect(await findRun(store.db, alive.run.id)).toMatchObject({
      status: "failed",
      error_code: "deadline_exceeded",
    });
    expect(await jobNow(store, job.id)).toMatchObject({
      status: "failed",
      succeeded: 1,
      failed: 2,
      due_at: null,
    });
  });

  test("the end of a job comes before its deadline without a trace of it", async () => {
    const { context, store, time } = await scene(await open());
    const job = await submitted(context, 1, { deadlineS: 60 });
    await ended(context, "completed");
    time.pass(60_000);
    expect(await enforceLimits(context)).toBeNull();
    expect(await jobNow(store, job.id)).toMatchObject({
      status: "succeeded",
      cancel_mode: null,
      due_at: null,
    });
  });

  test("the end of a job leaves no trace of a deadline or a cancellation that comes when every outcome is known", async () => {
    const { context, store, time } = await scene(await open());
    const job = await submitted(context, 1, { deadlineS: 60 });
    const { execution } = await live(context);
    await tell(context, execution.id, read("completed"));
    await cancelJob(context, job, abort);
    expect(await jobNow(store, job.id)).toMatchObject({ cancel_mode: null, due_at: job.deadline_at });
    time.pass(60_000);
    expect(await enforceLimits(context)).toBeNull();
    expect(await jobNow(store, job.id)).toMatchObject({ status: "active", cancel_mode: null, due_at: null });
    await tell(context, execution.id, { type: "collected" });
    expect(await jobNow(store, job.id)).toMatchObject({ status: "succeeded", cancel_mode: null });
  });

  test("the end of a job needs no hand any more once a cancelled job's last outcome is known", async () => {
    const { context, store, time } = await scene(await open());
    const job = await submitted(context, 201);
    const { execution } = await live(context);
    await cancelJob(context, job, abort);
    expect(await jobNow(store, job.id)).toMatchObject({ queued: 1, due_at: time.now() });
    const [last] = (await listRuns(store.db, job.id, -1, 201)).filter(({ status }) => status === "queued");
    await cancelRun(context, last?.id ?? "", abort);
    await tell(context, execution.id, read("aborted"));
    expect(await enforceLimits(context)).toBeNull();
    expect(await jobNow(store, job.id)).toMatchObject({ status: "active", collecting: 1, due_at: null });
  });

  test("the end of a job comes with the first failed outcome under cancel_rest, artifacts or not", async () => {
    const { context, store } = await scene(await open());
    const job = await submitted(context, 13, { onRunFailure: "cancel_rest", maxParallel: 1 });
    const { run, execution } = await live(context);
    await tell(context, execution.id, read("failed"));
    expect(await claimNext(context)).toEqual({ nextAt: null });
    await enforceLimits(context);
    expect(await jobNow(store, job.id)).toMatchObject({ status: "active", collecting: 1, cancelled: 12 });
    await tell(context, execution.id, { type: "collected" });
    expect(await findRun(store.db, run.id)).toMatchObject({ status: "failed", outcome: "failed" });
    expect(await jobNow(store, job.id)).toMatchObject({ status: "failed", failed: 1, cancelled: 12 });
  });

  test("the end of a job is no cancellation under cancel_rest when the last run is the one that fails", async () => {
    const { context, store } = await scene(await open());
    const job = await submitted(context, 2, { onRunFailure: "cancel_rest" });
    const first = await live(context);
    const last = await live(context);
    await tell(context, first.execution.id, read("completed"));
    await tell(context, last.execution.id, read("failed"));
    for (const { execution } of [last, first]) await tell(context, execution.id, { type: "collected" });
    expect(await enforceLimits(context)).toBeNull();
    expect(await jobNow(store, job.id)).toMatchObject({ status: "failed", cancel_mode: null });
  });

  test("the end of a job comes with the first failure under cancel_rest, and not under continue", async () => {
    const { context, store } = await scene(await open());
    const strict = await submitted(context, 3, { onRunFailure: "cancel_rest" });
    await ended(context, "failed");
    expect(await claimNext(context)).toEqual({ nextAt: null });
    await enforceLimits(context);
    expect(await jobNow(store, strict.id)).toMatchObject({ status: "failed", failed: 1, cancelled: 2 });
    const [, second] = await listRuns(store.db, strict.id, -1, 9);
    expect(second).toMatchObject({
      cancel_cause: "run_failure",
      error_detail: "another run of the job failed",
    });

    const lenient = await submitted(context, 2);
    await ended(context, "failed");
    expect((await claimed(context)).run.jobId).toBe(lenient.id);
  });
});

async function scene(database: Database): Promise<{ context: Context } & Database> {
  return { ...database, context: contextOf(database) };
}
