// Budgets: once they are used up nothing more starts, and nothing is left without a wake-up, on both databases.
import { expect, test } from "vitest";
import { applyFact } from "../../src/orchestration/apply-facts.ts";
import { cancelJob } from "../../src/orchestration/cancel.ts";
import { claimNext } from "../../src/orchestration/claim-runs.ts";
import type { Context } from "../../src/orchestration/context.ts";
import { enforceLimits } from "../../src/orchestration/enforce-limits.ts";
import { retryRun } from "../../src/orchestration/retry-run.ts";
import { applyKeyBudgets, type KeyBudget } from "../../src/store/cost-totals.ts";
import type { Topic } from "../../src/store/db/transaction.ts";
import { readLevels } from "../../src/store/queue-stats.ts";
import type { Store } from "../../src/store/store.ts";
import { eachDatabase, onPostgres } from "../support/databases.ts";
import { overtaken } from "../support/locks.ts";
import { claimed, contextOf, jobNow, live, read, recount, submitted, tell } from "../support/scene.ts";

const DAY = 86_400_000;

/** Ends what was claimed, at this cost. */
async function cost(
  context: Context,
  executionId: string,
  credits: number,
  status: "completed" | "failed" = "completed",
) {
  const snapshot = { status, raw: status, timedOut: false, cost: credits };
  await tell(context, executionId, { type: "snapshot", by: "poll", askedAt: 0, snapshot });
}

const end = async (context: Context, credits: number, status: "completed" | "failed" = "completed") =>
  cost(context, (await live(context)).execution.id, credits, status);

const give = (store: Store, budgets: KeyBudget[]) =>
  store.write((tx) => applyKeyBudgets(tx.db, budgets, tx.now));

function wakesOf(store: Store): [Topic, number][] {
  const wakes: [Topic, number][] = [];
  store.onCommit((topic, dueAt) => void wakes.push([topic, dueAt]));
  return wakes;
}

eachDatabase("a job's budget", (open) => {
  test("a job's budget once reached lets no further run of the job start, while live runs go on", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    const job = await submitted(context, 5, { budget: 1 });
    const alive = await live(context);
    await end(context, 0.4);
    await end(context, 0.599_999_999);
    expect(await jobNow(store, job.id)).toMatchObject({
      budget_reached_at: null,
      ready_at: expect.any(Number),
    });
    const last = await claimed(context);
    const wakes = wakesOf(store);
    await cost(context, alive.execution.id, 0.000_000_001);
    expect(wakes).toContainEqual(["enforce-limits", database.time.now()]);
    expect(await jobNow(store, job.id)).toMatchObject({
      budget_reached_at: database.time.now(),
      ready_at: null,
      queued: 1,
      active: 1,
    });
    expect(await claimNext(context)).toEqual({ nextAt: null });
    expect((await readLevels(store.db)).withoutWakeup).toBe(0);

    await enforceLimits(context);
    expect(await recount(store, job.id)).toEqual({ active: 1, collecting: 3, failed: 1 });
    const failed = await store.db
      .selectFrom("runs")
      .selectAll()
      .where("status", "=", "failed")
      .executeTakeFirstOrThrow();
    expect(failed).toMatchObject({ error_code: "budget_reached", attempt: 0, due_at: null });
    expect(last.run.jobId).toBe(job.id);
  });

  test("a job's budget ends a job of many runs in bounded steps", async () => {
    const database = await open();
    const context = contextOf(database);
    const job = await submitted(context, 450, { budget: 1 });
    await end(context, 1);
    const seen: number[] = [];
    for (let round = 0; round < 4; round++) {
      await enforceLimits(context);
      seen.push((await jobNow(database.store, job.id)).queued);
    }
    expect(seen).toEqual([249, 49, 0, 0]);
    expect(await jobNow(database.store, job.id)).toMatchObject({ failed: 449, due_at: null });
  });

  test("a job's budget ends a run that would start again, and the job with its last run", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    const job = await submitted(context, 1, { budget: 1, retry: { maxAttempts: 3, on: ["failed"] } });
    await end(context, 1, "failed");
    await enforceLimits(context);
    expect(await jobNow(store, job.id)).toMatchObject({ status: "failed", failed: 1, due_at: null });
    const run = await store.db.selectFrom("runs").selectAll().executeTakeFirstOrThrow();
    expect(run).toMatchObject({ error_code: "budget_reached", attempt: 1 });
    expect(await retryRun(context, await jobNow(store, job.id), run.id)).toEqual({
      type: "refused",
      detail: "the job's budget is used up; submit a new job",
    });
  });

  test("a job's budget ends a run whose start was refused for now after the budget was used up", async () => {
    const database = await open();
    const context = contextOf(database);
    const job = await submitted(context, 2, { budget: 1 });
    const { execution } = await claimed(context);
    await end(context, 2);
    await enforceLimits(context);
    const retryAt = database.time.now() + 5_000;
    await tell(context, execution.id, { type: "not_taken", retryAt, reason: "throttled" });
    expect((await readLevels(database.store.db)).withoutWakeup).toBe(0);
    await enforceLimits(context);
    expect(await recount(database.store, job.id)).toEqual({ collecting: 1, failed: 1 });
  });

  test("a job's budget used up by a late bill of a job that was cancelled does not keep the job due", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    const job = await submitted(context, 1, { budget: 1, retry: { maxAttempts: 3, on: ["failed"] } });
    const { execution } = await live(context);
    await tell(context, execution.id, read("failed"));
    await cancelJob(context, await jobNow(store, job.id), { mode: "abort", cause: "request" });
    expect(await jobNow(store, job.id)).toMatchObject({ status: "cancelled", due_at: null });
    const record = { status: "failed", raw: "failed", timedOut: false, cost: 2 } as const;
    await tell(context, execution.id, { type: "collected", record });
    const reached = { status: "cancelled", budget_reached_at: time.now(), due_at: null };
    expect(await jobNow(store, job.id)).toMatchObject(reached);
    expect(await enforceLimits(context)).toBeNull();
  });

  test("a job's budget used up by a late bill ends a run that was retried by hand meanwhile", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    const job = await submitted(context, 1, { budget: 1, retry: { maxAttempts: 3, on: ["failed"] } });
    const { run, execution } = await live(context);
    await tell(context, execution.id, read("failed"));
    await cancelJob(context, await jobNow(store, job.id), { mode: "abort", cause: "request" });
    const retried = await retryRun(context, await jobNow(store, job.id), run.id);
    expect(retried.type).toBe("created");
    const record = { status: "failed", raw: "failed", timedOut: false, cost: 2 } as const;
    await tell(context, execution.id, { type: "collected", record });
    expect(await jobNow(store, job.id)).toMatchObject({ queued: 1, ready_at: null, due_at: time.now() });
    expect(await enforceLimits(context)).toBeNull();
    expect(await recount(store, job.id)).toEqual({ cancelled: 1, failed: 1 });
  });

  test("a job's budget leaves the deadline in force, and does not set off cancel_rest", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    const job = await submitted(context, 3, { budget: 1, deadlineS: 60, onRunFailure: "cancel_rest" });
    await live(context);
    await end(context, 1);
    expect(await enforceLimits(context)).toBe(time.now() + 60_000);
    expect(await jobNow(store, job.id)).toMatchObject({ cancel_mode: null, active: 1, failed: 1 });
    time.pass(60_000);
    await enforceLimits(context);
    expect(await jobNow(store, job.id)).toMatchObject({ cancel_cause: "deadline", due_at: null });
  });

  test("a job's budget does not concern another job", async () => {
    const database = await open();
    const context = contextOf(database);
    await submitted(context, 2, { budget: 1 });
    const other = await submitted(context, 1, {}, { apiKey: "bob" });
    await end(context, 1);
    expect((await claimed(context)).run.jobId).toBe(other.id);
  });
});

eachDatabase("a key's budget", (open) => {
  const budget = (amount: number): KeyBudget[] => [{ name: "ann", amount, windowMs: DAY }];

  test("a key's budget holds all jobs of the key until its window ends, and dispatch learns when that is", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    await give(store, budget(1));
    const jobs = [await submitted(context, 2), await submitted(context, 2)];
    const wakes = wakesOf(store);
    await end(context, 0.5);
    await end(context, 0.5);
    const midnight = Date.UTC(2026, 8, 2);
    expect(wakes.map(([topic]) => topic)).toContain("dispatch");
    expect(await claimNext(context)).toEqual({ nextAt: midnight });
    for (const { id } of jobs)
      expect(await jobNow(store, id)).toMatchObject({ queued: 1, budget_reached_at: null });
    time.pass(midnight - time.now() - 1);
    expect(await claimNext(context)).toEqual({ nextAt: midnight });
    time.pass(1);
    await claimed(context);
    await claimed(context);
  });

  test("a key's budget lets other keys start", async () => {
    const database = await open();
    const context = contextOf(database);
    await give(database.store, budget(1));
    await submitted(context, 2);
    await end(context, 3);
    const bobs = await submitted(context, 1, {}, { apiKey: "bob" });
    expect((await claimed(context)).run.jobId).toBe(bobs.id);
    expect(await claimNext(context)).toEqual({ nextAt: Date.UTC(2026, 8, 2) });
  });

  test("a bill that proves an estimate too high lets the key go on", async () => {
    const database = await open();
    const context = contextOf(database);
    await give(database.store, budget(1));
    await submitted(context, 2);
    const { execution } = await live(context);
    await cost(context, execution.id, 1);
    const wakes = wakesOf(database.store);
    const record = { status: "completed" as const, raw: "completed", timedOut: false, cost: 0.1 };
    await tell(context, execution.id, { type: "collected", record });
    expect(wakes).toContainEqual(["dispatch", database.time.now()]);
    await claimed(context);
  });

  test("a correction of a past window does not count in the next one", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    await give(store, budget(1));
    await submitted(context, 3);
    const { execution } = await live(context);
    await cost(context, execution.id, 0.1);
    time.pass(DAY);
    await end(context, 0.2);
    const record = { status: "completed" as const, raw: "completed", timedOut: false, cost: 900 };
    await tell(context, execution.id, { type: "collected", record });
    await claimed(context);
    const key = await store.db.selectFrom("api_keys").selectAll().executeTakeFirstOrThrow();
    expect(key).toMatchObject({ window_spent_nano: 200_000_000, held_until: null });
  });

  test("a key's budget that is raised, lowered or taken away at a start counts what the window has seen", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    await submitted(context, 3);
    await end(context, 0.7);
    const midnight = Date.UTC(2026, 8, 2);
    await give(store, budget(0.7));
    expect(await claimNext(context)).toEqual({ nextAt: midnight });
    await give(store, budget(0.8));
    await end(context, 0.2);
    expect(await claimNext(context)).toEqual({ nextAt: midnight });
    await give(store, [{ name: "ann", amount: 0.85, windowMs: 3_600_000 }]);
    expect(await claimNext(context)).toEqual({ nextAt: database.time.now() + 3_600_000 });
    await give(store, []);
    await claimed(context);
  });

  test("a job and a key over their budgets at once end as the job's budget has it", async () => {
    const database = await open();
    const context = contextOf(database);
    await give(database.store, budget(1));
    const job = await submitted(context, 2, { budget: 1 });
    await end(context, 1);
    await enforceLimits(context);
    expect(await jobNow(database.store, job.id)).toMatchObject({ failed: 1, queued: 0 });
  });
});

onPostgres("a budget", (open) => {
  test("a budget of a job leaves no run behind that comes back to the queue while the others are ended", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    await submitted(context, 3, { budget: 1 });
    const first = await live(context);
    const second = await claimed(context);
    await cost(context, first.execution.id, 2);
    const notTaken = {
      type: "not_taken",
      retryAt: time.now(),
      reason: "throttled",
    } as const;
    await overtaken(
      { store, other: database.connect() },
      (tx) => applyFact(context, tx, { executionId: second.execution.id, fact: notTaken }),
      () => enforceLimits(context),
    );
    expect((await readLevels(store.db)).withoutWakeup).toBe(0);
    await enforceLimits(context);
    await tell(context, first.execution.id, { type: "collected" });
    expect(await recount(store, first.run.jobId)).toEqual({ succeeded: 1, failed: 2 });
  });

  test("a budget of a key is counted after the job is locked, which is the order of a claim", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    await give(store, [{ name: "ann", amount: 100, windowMs: DAY }]);
    await submitted(context, 2);
    const { run, execution } = await live(context);
    const snapshot = { status: "completed", raw: "completed", timedOut: false, cost: 5 } as const;
    const fact = { type: "snapshot", by: "poll", askedAt: 0, snapshot } as const;
    let tries = 0;
    await overtaken(
      { store, other: database.connect() },
      ({ db }) => db.selectFrom("jobs").select("id").where("id", "=", run.jobId).forUpdate().execute(),
      () =>
        store.write((tx) => {
          tries++;
          return applyFact(context, tx, { executionId: execution.id, fact });
        }),
      ({ db }) => db.updateTable("api_keys").set({ last_served_seq: 9 }).where("name", "=", "ann").execute(),
    );
    expect(tries).toBe(1);
  });

  test("a budget of a key takes in what another process counts while it is set at a start", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    const budgets = [{ name: "ann", amount: 1, windowMs: DAY }];
    await give(store, budgets);
    await submitted(context, 1);
    const { execution } = await live(context);
    const snapshot = { status: "completed", raw: "completed", timedOut: false, cost: 5 } as const;
    const fact = { type: "snapshot", by: "poll", askedAt: 0, snapshot } as const;
    await overtaken(
      { store, other: database.connect() },
      (tx) => applyFact(context, tx, { executionId: execution.id, fact }),
      () => give(store, budgets),
    );
    const key = await store.db.selectFrom("api_keys").selectAll().executeTakeFirstOrThrow();
    expect(key).toMatchObject({ window_spent_nano: 5e9, held_until: Date.UTC(2026, 8, 2) });
  });
});
