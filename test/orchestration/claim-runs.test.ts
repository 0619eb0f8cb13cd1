// Whose run starts next: priority first, then API keys in turn, then their jobs in turn, within `max_parallel`.
import fc from "fast-check";
import { expect, test } from "vitest";
import { claimNext, claimRuns } from "../../src/orchestration/claim-runs.ts";
import type { Context } from "../../src/orchestration/context.ts";
import { readLevels } from "../../src/store/queue-stats.ts";
import { type Database, eachDatabase, onPostgres } from "../support/databases.ts";
import { claimed, contextOf, ended, jobNow, live, read, recount, submitted, tell } from "../support/scene.ts";

eachDatabase("claiming", (open, kind) => {
  test("claiming makes the execution durable before anything is sent", async () => {
    const database = await open();
    const context = contextOf(database);
    const job = await submitted(context, 1);
    const { run, execution } = await claimed(context);
    const row = await database.store.db.selectFrom("executions").selectAll().executeTakeFirstOrThrow();
    expect(row).toMatchObject({ id: execution.id, run_id: run.id, phase: "submitting", attempt: 1 });
    expect(await jobNow(database.store, job.id)).toMatchObject({
      status: "active",
      active: 1,
      ready_at: null,
    });
    expect(await claimNext(context)).toEqual({ nextAt: null });
  });

  test("claiming gives the turn to another key after one start of a job of 10,000 runs", async () => {
    const database = await open();
    const context = contextOf(database);
    const sweep = await submitted(context, 10_000, {}, { apiKey: "ann" });
    for (let start = 0; start < 5; start++) expect((await claimed(context)).run.jobId).toBe(sweep.id);
    const single = await submitted(context, 1, {}, { apiKey: "bob" });
    const turns = [await claimed(context), await claimed(context)].map(({ run }) => run.jobId);
    expect(turns).toContain(single.id);
  });

  test("claiming gives the turn to another job of the same key after one start, too", async () => {
    const database = await open();
    const context = contextOf(database);
    await submitted(context, 1_000);
    await claimed(context);
    const single = await submitted(context, 1);
    const turns = [await claimed(context), await claimed(context)].map(({ run }) => run.jobId);
    expect(turns).toContain(single.id);
  });

  test("claiming takes a job's runs in their order, one that waits to be retried not before its time", async () => {
    const database = await open();
    const { time } = database;
    const context = contextOf(database);
    await submitted(context, 2);
    const first = await claimed(context);
    const retryAt = time.now() + 5_000;
    await tell(context, first.execution.id, {
      type: "not_taken",
      retryAt,
      reason: "throttled",
    });
    expect((await claimed(context)).run.id).not.toBe(first.run.id);
    expect(await claimNext(context)).toEqual({ nextAt: retryAt });
    time.pass(5_000);
    expect((await claimed(context)).run).toMatchObject({ id: first.run.id, attempt: 1 });
  });

  test("claiming keeps to max_parallel: a place is free again once a run has ended", async () => {
    const database = await open();
    const context = contextOf(database);
    const job = await submitted(context, 4, { maxParallel: 2 });
    const first = await live(context);
    await live(context);
    expect(await claimNext(context)).toEqual({ nextAt: null });
    await tell(context, first.execution.id, read("completed"));
    await claimed(context);
    expect(await claimNext(context)).toEqual({ nextAt: null });
    expect(await jobNow(database.store, job.id)).toMatchObject({ queued: 1, active: 2, collecting: 1 });
  });

  test("claiming keeps to max_parallel when more are claimed in one write", async () => {
    const database = await open();
    const context = contextOf(database);
    await submitted(context, 4, { maxParallel: 2 });
    const { claims, nextAt } = await claimRuns(context, 3);
    expect(claims).toHaveLength(2);
    expect(nextAt).toBeNull();
  });

  test("claiming keeps what it counts and promises true through a whole job", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    const job = await submitted(context, 3);
    await ended(context, "completed");
    await ended(context, "failed");
    await live(context);
    expect(await recount(store, job.id)).toEqual({ succeeded: 1, failed: 1, active: 1 });
    expect(await jobNow(store, job.id)).toMatchObject({
      succeeded: 1,
      failed: 1,
      active: 1,
      status: "active",
    });
    expect(await readLevels(store.db)).toEqual({
      queued: 0,
      live: 1,
      collecting: 0,
      inDoubt: 0,
      oldestQueuedAt: null,
      withoutWakeup: 0,
    });
  });

  test("claiming follows the rule of turns in any order of submissions", async () => {
    const database = await open();
    const context = contextOf(database);
    const job = fc.record({
      key: fc.constantFrom("ann", "bob", "eve"),
      priority: fc.integer({ min: -1, max: 1 }),
      runs: fc.integer({ min: 1, max: 4 }),
    });
    const claimedAtOnce = fc.integer({ min: 1, max: 4 });
    const steps = fc.array(fc.oneof(job, claimedAtOnce), { maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(steps, async (steps) => {
        await empty(database);
        await follow(context, steps);
      }),
      { numRuns: kind === "sqlite" ? 40 : 10 },
    );
  });
});

interface Submitted {
  key: string;
  priority: number;
  runs: number;
}

/**
 * Submits and claims as told, so many in one write, then claims what is left, and compares each turn with a model of
 * the rule.
 */
async function follow(context: Context, steps: (Submitted | number)[]): Promise<void> {
  /** Jobs, those that have waited longest first, and the turn at which each key was last served. */
  const jobs: (Submitted & { id: string })[] = [];
  const served = new Map<string, number>();
  let turns = 0;

  function expectedTurn(): string | null {
    const ready = jobs.filter((job) => job.runs > 0);
    const highest = Math.max(...ready.map((job) => job.priority));
    const candidates = ready.filter((job) => job.priority === highest);
    // The sort is stable: among keys that were never served, the job that has waited longest decides.
    const [job] = candidates.toSorted((a, b) => (served.get(a.key) ?? 0) - (served.get(b.key) ?? 0));
    if (job === undefined) return null;
    job.runs--;
    jobs.push(...jobs.splice(jobs.indexOf(job), 1));
    served.set(job.key, ++turns);
    return job.id;
  }

  const claim = async (most: number) => {
    const { claims } = await claimRuns(context, most);
    const expected = Array.from({ length: most }, expectedTurn).filter((turn) => turn !== null);
    expect(claims.map(({ run }) => run.jobId)).toEqual(expected);
  };
  for (const step of steps) {
    if (typeof step === "number") await claim(step);
    else {
      const { id } = await submitted(context, step.runs, { priority: step.priority }, { apiKey: step.key });
      jobs.push({ ...step, id });
    }
  }
  while (jobs.some((job) => job.runs > 0)) await claim(1);
  await claim(1);
}

async function empty({ store: { db } }: Database): Promise<void> {
  await db.deleteFrom("jobs").execute();
  await db.deleteFrom("api_keys").execute();
}

onPostgres("parallel claimers", (open) => {
  test("parallel claimers never start more than max_parallel, nor a run twice, and leave no job asleep", async () => {
    const database = await open();
    const { store } = database;
    const contexts = [store, database.connect(), database.connect()].map((store) =>
      contextOf({ ...database, store }),
    );
    const context = contexts[0] ?? contextOf(database);
    const jobs = [
      await submitted(context, 10, { maxParallel: 2 }),
      await submitted(context, 10, { maxParallel: 3 }),
    ];
    const refused: string[] = [];
    let starts = 0;

    /** Starts a run; Lyceum takes none, and of each fifth does not say so for good. */
    async function work(context: Context): Promise<void> {
      const claim = await claimNext(context);
      if ("nextAt" in claim) return;
      const { id } = claim.execution;
      if (++starts % 5 === 0) {
        await tell(context, id, {
          type: "not_taken",
          retryAt: database.time.now(),
          reason: "throttled",
        });
      } else {
        refused.push(claim.run.id);
        await tell(context, id, { type: "refused", status: 422, detail: "no" });
      }
    }

    for (let round = 0; round < 100 && refused.length < 20; round++) {
      const watching = jobs.map((job) => mostActive(database, job.id));
      await Promise.all(contexts.flatMap((context) => [work(context), work(context), work(context)]));
      const [two, three] = await Promise.all(watching);
      expect(two).toBeLessThanOrEqual(2);
      expect(three).toBeLessThanOrEqual(3);
      expect((await readLevels(store.db)).withoutWakeup).toBe(0);
    }
    expect(refused).toHaveLength(20);
    expect(new Set(refused).size).toBe(20);
    for (const job of jobs)
      expect(await jobNow(store, job.id)).toMatchObject({ status: "failed", failed: 10 });
  });
});

async function mostActive({ store }: Database, jobId: string): Promise<number> {
  let most = 0;
  for (let look = 0; look < 10; look++) most = Math.max(most, (await jobNow(store, jobId)).active);
  return most;
}
