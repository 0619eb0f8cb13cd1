// Limits on logins and on the history that several instances share: whatever their number, no window holds more calls.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Bucket, Priority } from "../../src/lyceum/priorities.ts";
import { type CallReport, createRateLimiter } from "../../src/lyceum/rate-limiter.ts";
import { savePause } from "../../src/store/rate-limit-pauses.ts";
import { createCallPlaces, readSharedLevels } from "../../src/workers/call-places.ts";
import { type Database, eachDatabase } from "../support/databases.ts";
import { contextOf } from "../support/scene.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

type Call = (report: CallReport) => Promise<void>;

function answered(headers: Record<string, string> = {}): Call {
  return async (report) => void report.answered(200, new Headers(headers));
}
const unsent: Call = async (report) => report.unsent();

function instanceOn(database: Database, store = database.store) {
  const context = {
    ...contextOf({ ...database, store }),
    sharedLimits: { limit: null, concurrency: 8 },
  };
  const callPlaces = createCallPlaces(context);
  const rateLimiter = createRateLimiter({
    clock: database.time,
    random: () => 0,
    limits: { execution: null, billing: null, auth: null },
    places: callPlaces,
  });

  /** Makes so many calls; counts those that were not deferred, and tells how long the first deferred call waits. */
  async function make(
    count: number,
    bucket: Bucket,
    { priority = "cancel", call = answered() }: { priority?: Priority; call?: Call } = {},
  ) {
    const calls = Array.from({ length: count }, () => rateLimiter.run(priority, bucket, call));
    const ends = await Promise.all(calls);
    const waits = ends.flatMap((end) => (end.deferred === null ? [] : [end.waitMs]));
    return { made: count - waits.length, waitMs: waits[0] ?? 0 };
  }

  /** Takes places for so many calls, which do not end. */
  async function take(count: number, bucket: Bucket) {
    const places = await Promise.all(Array.from({ length: count }, () => callPlaces?.take(bucket, 0)));
    const waits = places.flatMap((place) => (place && "waitMs" in place ? [place.waitMs] : []));
    return { taken: count - waits.length, waitMs: waits[0] ?? 0 };
  }

  return { context, make, take };
}

async function instancesOn(database: Database, count: number) {
  const others = Array.from({ length: count - 1 }, () => instanceOn(database, database.connect()));
  return [instanceOn(database), ...others] as [ReturnType<typeof instanceOn>, ReturnType<typeof instanceOn>];
}

const step = fc.record({
  instance: fc.nat(2),
  calls: fc.integer({ min: 1, max: 6 }),
  isSent: fc.boolean(),
  passMs: fc.constantFrom(0, 1, 7_000, 30_000, MINUTE),
});

eachDatabase("places of calls", (open, kind) => {
  test("places of calls keep the limit on logins in every window, whatever the instances do", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const database = await open();
        const instances = await instancesOn(database, 3);
        const sentAt: number[] = [];
        for (const { instance, calls, isSent, passMs } of steps) {
          const some = [instances[instance], instances[(instance + 1) % 3]];
          const call = isSent ? answered() : unsent;
          for (const made of await Promise.all(some.map((one) => one?.make(calls, "auth", { call }))))
            if (isSent) sentAt.push(...Array.from({ length: made?.made ?? 0 }, () => database.time.now()));
          database.time.pass(passMs);
          const now = database.time.now();
          expect(sentAt.filter((at) => at + MINUTE > now).length).toBeLessThanOrEqual(10);
        }
      }),
      { numRuns: kind === "sqlite" ? 8 : 4, seed: 1 },
    );
  });

  test("places of calls go to whichever instance needs them, and say when the next is free", async () => {
    const database = await open();
    const [one, other] = await instancesOn(database, 2);
    expect(await one.make(90, "billing")).toEqual({ made: 90, waitMs: 0 });
    database.time.pass(10 * MINUTE);
    expect(await other.make(15, "billing")).toEqual({ made: 10, waitMs: 50 * MINUTE });
    expect(await one.make(1, "auth")).toEqual({ made: 1, waitMs: 0 });
    database.time.pass(50 * MINUTE);
    expect((await other.make(95, "billing")).made).toBe(90);
  });

  test("places of calls are kept for more urgent calls of all instances", async () => {
    const database = await open();
    const [one, other] = await instancesOn(database, 2);
    expect((await one.make(50, "billing", { priority: "collect" })).made).toBe(50);
    expect((await other.make(50, "billing", { priority: "collect" })).made).toBe(20);
    expect((await other.make(50, "billing", { priority: "confirm" })).made).toBe(25);
  });

  test("places of calls are given back where nothing was sent", async () => {
    const database = await open();
    const [one, other] = await instancesOn(database, 2);
    expect((await one.make(10, "auth", { call: unsent })).made).toBe(10);
    expect((await other.make(12, "auth")).made).toBe(10);
  });

  test("places of calls whose instance died are free again a window after the call must be over", async () => {
    const database = await open();
    const [dead, other] = await instancesOn(database, 2);
    expect(await dead.take(12, "auth")).toEqual({ taken: 10, waitMs: 1_000 });
    database.time.pass(5 * MINUTE - 1);
    expect((await other.make(1, "auth")).made).toBe(0);
    database.time.pass(1);
    expect((await other.make(12, "auth")).made).toBe(10);
  });

  test("places of calls follow the limit in an answer to another instance, until its reset", async () => {
    const database = await open();
    const [one, other] = await instancesOn(database, 2);
    const headers = {
      "x-ratelimit-limit": "200",
      "x-ratelimit-remaining": "3",
      "x-ratelimit-reset": String((database.time.now() + 30 * MINUTE) / 1_000),
    };
    await one.make(1, "billing", { call: answered(headers) });
    database.time.pass(1);
    expect(await other.take(5, "billing")).toEqual({ taken: 3, waitMs: 30 * MINUTE - 1 });
    database.time.pass(30 * MINUTE);
    // The three calls may be counted after the reset.
    expect((await other.take(250, "billing")).taken).toBe(197);
  });

  test("places of calls heed a pause that another instance was asked for, and the levels show it", async () => {
    const database = await open();
    const [one, other] = await instancesOn(database, 2);
    const until = database.time.now() + HOUR / 2;
    await one.make(4, "billing");
    await one.context.store.write((tx) => savePause(tx.db, { bucket: "billing", until }, tx.now));
    expect(await other.make(2, "billing")).toEqual({ made: 0, waitMs: HOUR / 2 });
    const levels = await readSharedLevels(other.context, database.time.now());
    expect(levels).toMatchObject({
      execution: { limit: null, used: 0, remaining: null, pausedUntil: null },
      billing: { limit: { max: 100, windowMs: HOUR }, used: 4, remaining: 96, pausedUntil: until },
      auth: { limit: { max: 10, windowMs: MINUTE }, used: 0, remaining: 10, pausedUntil: null },
    });
  });
});
