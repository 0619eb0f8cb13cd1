// Limits on starts that several instances share: whatever their number, no window holds more than it may.
import fc from "fast-check";
import { expect, test } from "vitest";
import { claimRuns } from "../../src/orchestration/claim-runs.ts";
import type { Context } from "../../src/orchestration/context.ts";
import { type PlaceLimits, saveQuota } from "../../src/store/places.ts";
import { savePause } from "../../src/store/rate-limit-pauses.ts";
import { type Database, eachDatabase } from "../support/databases.ts";
import { contextOf, submitted, tell } from "../support/scene.ts";

const SECOND = 1_000;
const limit = { max: 5, windowMs: 10 * SECOND };

interface Start {
  executionId: string;
  takenAt: number;
  /** When its answer was noted; infinite while it is under way. */
  endedAt: number;
}

function instancesOn(database: Database, count: number, limits: PlaceLimits): Context[] {
  const stores = [database.store, ...Array.from({ length: count - 1 }, () => database.connect())];
  return stores.map((store) => ({ ...contextOf({ ...database, store }), sharedLimits: limits }));
}

async function start(database: Database, context: Context, most: number): Promise<Start[]> {
  const { claims } = await claimRuns(context, most);
  const takenAt = database.time.now();
  return claims.map(({ execution }) => ({
    executionId: execution.id,
    takenAt,
    endedAt: Number.POSITIVE_INFINITY,
  }));
}

const accepted = (id: string) =>
  ({
    type: "accepted",
    lyceumExecutionId: `l-${id}`,
    status: "pending",
    raw: "pending",
    found: false,
  }) as const;
const notTaken = (isSent: boolean) =>
  ({ type: "not_taken", retryAt: 0, reason: "throttled", isSent }) as const;

type Step =
  | { do: "claim"; instances: number; most: number }
  | { do: "answer" | "refuse" | "doubt" | "unsent" }
  | { do: "pass"; ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("claim" as const),
      instances: fc.integer({ min: 1, max: 3 }),
      most: fc.integer({ min: 1, max: 8 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("answer" as const, "refuse" as const, "doubt" as const, "unsent" as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: 12 * SECOND }) }),
  },
);

eachDatabase("shared limits", (open, kind) => {
  test("shared limits hold in every window and at every moment, whatever the number of instances", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        async (steps, concurrency) => {
          const database = await open();
          const instances = instancesOn(database, 3, { limit, concurrency });
          const [first] = instances as [Context];
          await submitted(first, 60);
          const starts: Start[] = [];
          const { time } = database;
          const underWay = () => starts.filter(({ endedAt }) => endedAt === Number.POSITIVE_INFINITY);
          for (const now of steps) {
            if (now.do === "pass") time.pass(now.ms);
            else if (now.do === "claim") {
              const some = instances.slice(0, now.instances);
              for (const began of await Promise.all(some.map((one) => start(database, one, now.most))))
                starts.push(...began);
            } else {
              const [one] = underWay();
              if (one === undefined) continue;
              const { executionId } = one;
              const facts = {
                answer: accepted(executionId),
                refuse: notTaken(true),
                doubt: { type: "outcome_unknown", detail: "reset" },
                unsent: notTaken(false),
              } as const;
              await tell(first, executionId, facts[now.do]);
              if (now.do === "unsent") starts.splice(starts.indexOf(one), 1);
              one.endedAt = time.now();
            }
            const counted = starts.filter(({ endedAt }) => endedAt + limit.windowMs > time.now());
            expect(counted.length).toBeLessThanOrEqual(limit.max);
            expect(underWay().length).toBeLessThanOrEqual(concurrency);
          }
        },
      ),
      { numRuns: kind === "sqlite" ? 20 : 6, seed: 1 },
    );
  });

  test("shared limits give their places again when the window is over, and say when that is", async () => {
    const database = await open();
    const [one, other] = instancesOn(database, 2, { limit, concurrency: 9 }) as [Context, Context];
    await submitted(one, 20);
    const begun = await start(database, one, 8);
    expect(begun).toHaveLength(5);
    expect(await start(database, other, 8)).toEqual([]);
    for (const { executionId } of begun) await tell(one, executionId, accepted(executionId));
    const { nextAt } = await claimRuns(other, 8);
    expect(nextAt).toBe(database.time.now() + limit.windowMs);
    database.time.pass(limit.windowMs);
    expect(await start(database, other, 8)).toHaveLength(5);
  });

  test("shared limits follow the limit in an answer to any instance, until its reset", async () => {
    const database = await open();
    const [one, other] = instancesOn(database, 2, { limit, concurrency: 9 }) as [Context, Context];
    await submitted(one, 20);
    const [begun] = await start(database, one, 1);
    const notice = { max: 100, remaining: 2, resetInMs: 30 * SECOND };
    await one.store.write((tx) => saveQuota(tx.db, "execution", notice, tx.now));
    await tell(one, begun?.executionId ?? "", accepted(begun?.executionId ?? ""));
    database.time.pass(1);
    expect(await start(database, other, 8)).toHaveLength(2);
    expect((await claimRuns(one, 8)).nextAt).toBe(database.time.now() - 1 + 30 * SECOND);
    database.time.pass(30 * SECOND);
    expect(await start(database, one, 8)).toHaveLength(7);
  });

  test("shared limits ignore a reset beyond all windows, which would stop all starts", async () => {
    const database = await open();
    const [one, other] = instancesOn(database, 2, { limit, concurrency: 9 }) as [Context, Context];
    await submitted(one, 20);
    const notice = { max: null, remaining: 0, resetInMs: 100 * 365 * 24 * 3_600 * SECOND };
    await one.store.write((tx) => saveQuota(tx.db, "execution", notice, tx.now));
    expect(await start(database, other, 8)).toHaveLength(5);
  });

  test("shared limits heed a pause that any instance was asked for", async () => {
    const database = await open();
    const [one, other] = instancesOn(database, 2, { limit: null, concurrency: 9 }) as [Context, Context];
    await submitted(one, 20);
    const until = database.time.now() + 15 * SECOND;
    await one.store.write((tx) => savePause(tx.db, { bucket: "execution", until }, tx.now));
    expect(await claimRuns(other, 3)).toEqual({ claims: [], nextAt: until, isFull: true });
    database.time.pass(15 * SECOND);
    expect(await start(database, other, 3)).toHaveLength(3);
  });
});
