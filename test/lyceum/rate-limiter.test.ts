import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Pause } from "../../src/lyceum/bucket-pauses.ts";
import {
  type CallReport,
  createRateLimiter,
  type RateLimiterOptions,
} from "../../src/lyceum/rate-limiter.ts";
import { createFakeTime } from "./fake-time.ts";

const HOUR = 3_600_000;

function setUp(options: Partial<RateLimiterOptions> = {}) {
  const time = createFakeTime();
  const rateLimiter = createRateLimiter({ clock: time, random: () => 0, ...options });
  return { time, rateLimiter };
}

/** A call whose end is in the test's hands. */
function openCall() {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { call: () => ended, end };
}

const answering =
  (status: number, headers: Record<string, string> = {}) =>
  async (report: CallReport) =>
    report.answered(status, new Headers(headers));
const unanswered = async (report: CallReport) => report.unanswered();
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("reserving starts", () => {
  test("reserving starts grants what the limit allows and says how long the next has to wait", () => {
    const { time, rateLimiter } = setUp({ limits: { execution: { max: 2, windowMs: 1_000 } } });
    expect(rateLimiter.reserve("execution").granted).toBe(true);
    time.pass(100);
    expect(rateLimiter.reserve("execution").granted).toBe(true);
    expect(rateLimiter.reserve("execution")).toMatchObject({ granted: false });
  });

  test("a released place can be granted again, and releasing twice gives back one", () => {
    const { rateLimiter } = setUp({ limits: { execution: { max: 2, windowMs: 1_000 } } });
    const first = rateLimiter.reserve("execution");
    rateLimiter.reserve("execution");
    if (!first.granted) throw new Error("not granted");
    first.release();
    first.release();
    expect(rateLimiter.reserve("execution").granted).toBe(true);
    expect(rateLimiter.reserve("execution").granted).toBe(false);
  });

  test("a reserved place that is not sent does not count as used, and coming back changes nothing", async () => {
    const { rateLimiter } = setUp({ limits: { execution: { max: 3, windowMs: 1_000 } } });
    const seen = () => rateLimiter.state().buckets.execution;
    const place = rateLimiter.reserve("execution");
    rateLimiter.reserve("execution");
    expect(seen()).toMatchObject({ used: 0, remaining: 3 });
    if (!place.granted) throw new Error("not granted");
    place.release();
    expect(seen()).toMatchObject({ used: 0 });
    await rateLimiter.run("submit", "execution", answering(200));
    expect(seen()).toMatchObject({ used: 1 });
  });

  test("a start takes over its place instead of a second one", async () => {
    const { rateLimiter } = setUp({ limits: { execution: { max: 1, windowMs: 1_000 } } });
    rateLimiter.reserve("execution");
    expect(await rateLimiter.run("submit", "execution", answering(200))).toMatchObject({ deferred: null });
    expect(rateLimiter.state().buckets.execution).toMatchObject({ used: 1, remaining: 0 });
  });

  test("a start counts from when it was over, not from when it was reserved", async () => {
    const { time, rateLimiter } = setUp({ limits: { execution: { max: 1, windowMs: 1_000 } } });
    rateLimiter.reserve("execution");
    time.pass(5_000);
    await rateLimiter.run("submit", "execution", answering(200));
    time.pass(999);
    expect(rateLimiter.reserve("execution")).toEqual({ granted: false, waitMs: 1 });
    time.pass(1);
    expect(rateLimiter.reserve("execution").granted).toBe(true);
  });

  test("a start that never reached Lyceum gives its place back", async () => {
    const { rateLimiter } = setUp({ limits: { execution: { max: 1, windowMs: 1_000 } } });
    rateLimiter.reserve("execution");
    await rateLimiter.run("submit", "execution", async (report) => report.unsent());
    expect(rateLimiter.reserve("execution").granted).toBe(true);
  });

  test("a start without a reserved place needs one like any call", async () => {
    const { rateLimiter } = setUp({ limits: { execution: { max: 1, windowMs: 1_000 } } });
    await rateLimiter.run("submit", "execution", answering(200));
    expect(await rateLimiter.run("submit", "execution", answering(200))).toEqual({
      deferred: "throttled",
      waitMs: 1_000,
    });
  });

  test("a start that a pause holds gives its place back", async () => {
    const { time, rateLimiter } = setUp({ limits: { execution: { max: 2, windowMs: HOUR } } });
    rateLimiter.reserve("execution");
    rateLimiter.reserve("execution");
    await rateLimiter.run("submit", "execution", answering(429, { "retry-after": "30" }));
    expect(await rateLimiter.run("submit", "execution", answering(200))).toEqual({
      deferred: "throttled",
      waitMs: 30_000,
    });
    time.pass(30_000);
    expect(rateLimiter.state().buckets.execution).toMatchObject({ used: 1, remaining: 1, pausedUntil: null });
  });

  test("without a limit every start is granted", () => {
    const { rateLimiter } = setUp({ limits: { execution: null } });
    for (let i = 0; i < 1_000; i += 1) expect(rateLimiter.reserve("execution").granted).toBe(true);
  });
});

describe("the window", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 700 }) }),
    fc.record({
      do: fc.constantFrom("reserve" as const, "release" as const, "start" as const, "lone" as const),
    }),
    fc.record({ do: fc.constant("end" as const), how: fc.constantFrom("sent", "unsent", "refused") }),
  );

  test("the window never holds more than its limit, whatever the schedule", async () => {
    const schedule = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 80 }));
    await fc.assert(
      fc.asyncProperty(schedule, async ([max, steps]) => {
        const windowMs = 1_000;
        const { time, rateLimiter } = setUp({
          limits: { execution: { max, windowMs } },
          concurrency: { execution: 100 },
        });
        const places: { release(): void }[] = [];
        const open: ((how: string) => void)[] = [];
        /** Each start's first and last moment at which Lyceum may count it. */
        const sent: { from: number; to: number }[] = [];
        const start = () =>
          rateLimiter.run("submit", "execution", async (report) => {
            const span = { from: time.monotonic(), to: Number.POSITIVE_INFINITY };
            sent.push(span);
            const how = await new Promise<string>((resolve) => open.push(resolve));
            span.to = time.monotonic();
            if (how === "unsent") sent.splice(sent.indexOf(span), 1);
            if (how === "unsent") report.unsent();
            if (how === "sent") report.answered(200, new Headers());
          });
        for (const now of steps) {
          if (now.do === "pass") time.pass(now.ms);
          if (now.do === "reserve") {
            const place = rateLimiter.reserve("execution");
            if (place.granted) places.push(place);
          }
          if (now.do === "release") places.pop()?.release();
          if (now.do === "start" && places.pop()) void start();
          if (now.do === "lone") void start();
          if (now.do === "end") open.shift()?.(now.how);
          await Promise.resolve();
          await Promise.resolve();
          await Promise.resolve();
          // However late Lyceum counted the earlier ones and however early this one: no window holds too many.
          for (const { from } of sent) {
            const together = sent.filter((other) => other.from <= from && other.to > from - windowMs);
            expect(together.length).toBeLessThanOrEqual(max);
          }
        }
        expect(rateLimiter.state().buckets.execution.used).toBeLessThanOrEqual(max);
      }),
      { numRuns: 300 },
    );
  });

  test("the window keeps a part for the more urgent priorities", async () => {
    const { rateLimiter } = setUp({ limits: { billing: { max: 10, windowMs: HOUR } } });
    const spend = async (priority: "collect" | "routine" | "confirm" | "cancel") => {
      let calls = 0;
      while (!(await rateLimiter.run(priority, "billing", answering(200))).deferred) calls += 1;
      return calls;
    };
    expect(await spend("collect")).toBe(7);
    expect(await spend("routine")).toBe(1);
    expect(await spend("confirm")).toBe(2);
    expect(await spend("cancel")).toBe(0);
  });

  test("the window does not mind a wall clock that jumps", async () => {
    const { time, rateLimiter } = setUp({ limits: { execution: { max: 1, windowMs: HOUR } } });
    await rateLimiter.run("submit", "execution", answering(200));
    time.jumpWall(10 * HOUR);
    expect(rateLimiter.reserve("execution")).toEqual({ granted: false, waitMs: HOUR });
    time.jumpWall(-20 * HOUR);
    time.pass(HOUR);
    expect(rateLimiter.reserve("execution").granted).toBe(true);
  });
});

describe("headers of an answer", () => {
  const inOneMinute = (time: { now(): number }) => String((time.now() + 60_000) / 1000);

  test("headers of an answer overrule a limit that is too high", async () => {
    const { time, rateLimiter } = setUp();
    const headers = {
      "x-ratelimit-limit": "50",
      "x-ratelimit-remaining": "1",
      "x-ratelimit-reset": inOneMinute(time),
    };
    await rateLimiter.run("submit", "execution", answering(200, headers));
    expect(rateLimiter.reserve("execution").granted).toBe(true);
    expect(rateLimiter.reserve("execution")).toEqual({ granted: false, waitMs: 60_000 });
    expect(rateLimiter.state().buckets.execution).toMatchObject({
      limit: { max: 50, windowMs: HOUR },
      remaining: 1,
      resetsAt: time.now() + 60_000,
    });
  });

  test("headers of an answer hold until an answer comes without them: then the setting counts again", async () => {
    const { time, rateLimiter } = setUp({ limits: { execution: { max: 3, windowMs: HOUR } } });
    await rateLimiter.run("submit", "execution", answering(200, { "x-ratelimit-limit": "1" }));
    expect(rateLimiter.reserve("execution")).toEqual({ granted: false, waitMs: HOUR });
    time.pass(HOUR);
    await rateLimiter.run("submit", "execution", answering(200));
    for (let i = 0; i < 2; i += 1) expect(rateLimiter.reserve("execution").granted).toBe(true);
    expect(rateLimiter.reserve("execution").granted).toBe(false);
  });

  test("headers of an answer overrule a limit that is too low", async () => {
    const { time, rateLimiter } = setUp({ limits: { execution: { max: 1, windowMs: HOUR } } });
    const headers = { "x-ratelimit-remaining": "3", "x-ratelimit-reset": inOneMinute(time) };
    await rateLimiter.run("submit", "execution", answering(200, headers));
    for (let i = 0; i < 3; i += 1) expect(rateLimiter.reserve("execution").granted).toBe(true);
    expect(rateLimiter.reserve("execution").granted).toBe(false);
  });

  test("limit a bucket that has no limit of its own", async () => {
    const { time, rateLimiter } = setUp();
    const headers = {
      "x-ratelimit-limit": "9",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": inOneMinute(time),
    };
    await rateLimiter.run("routine", "read", answering(200, headers));
    expect(await rateLimiter.run("cancel", "read", answering(200))).toEqual({
      deferred: "throttled",
      waitMs: 60_000,
    });
    time.pass(60_000);
    expect(await rateLimiter.run("routine", "read", answering(200))).toMatchObject({ deferred: null });
  });

  test("free the whole window at Lyceum's reset", async () => {
    const { time, rateLimiter } = setUp({ limits: { execution: { max: 1, windowMs: HOUR } } });
    const headers = {
      "x-ratelimit-limit": "1",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": inOneMinute(time),
    };
    await rateLimiter.run("submit", "execution", answering(200, headers));
    time.pass(60_000);
    expect(rateLimiter.reserve("execution").granted).toBe(true);
  });

  test("headers of an answer count calls under way as used", async () => {
    const { time, rateLimiter } = setUp();
    const headers = { "x-ratelimit-remaining": "2", "x-ratelimit-reset": inOneMinute(time) };
    const slow = openCall();
    const running = rateLimiter.run("routine", "read", slow.call);
    await rateLimiter.run("submit", "read", answering(200, headers));
    expect(rateLimiter.state().buckets.read.remaining).toBe(1);
    slow.end();
    await running;
  });

  test("headers of an answer are shared among the instances: reads in a known window never meet a 429", async () => {
    const limit = 31;
    let used = 0;
    const time = createFakeTime();
    const reset = inOneMinute(time);
    const refused: number[] = [];
    const read = async (report: CallReport) => {
      used++;
      if (used > limit) refused.push(used);
      const remaining = String(Math.max(limit - used, 0));
      const headers = { "x-ratelimit-limit": String(limit), "x-ratelimit-remaining": remaining };
      await settle();
      report.answered(used > limit ? 429 : 200, new Headers({ ...headers, "x-ratelimit-reset": reset }));
    };
    const options = { clock: time, random: () => 0, instances: () => 3 };
    const limiters = [1, 2, 3].map(() => createRateLimiter(options));
    for (const limiter of limiters) await limiter.run("cancel", "read", read);
    const many = limiters.flatMap((limiter) =>
      Array.from({ length: 40 }, () => limiter.run("cancel", "read", read)),
    );
    await Promise.all(many);
    expect(refused).toEqual([]);
    expect(used).toBeGreaterThan(limit - 6);
    time.pass(60_000);
    used = 0;
    expect(await limiters[0]?.run("cancel", "read", read)).toMatchObject({ deferred: null });
  });

  test("headers of an answer that was long under way never raise what a later call was told", async () => {
    const { time, rateLimiter } = setUp();
    const told = (remaining: number) => ({
      "x-ratelimit-limit": "50",
      "x-ratelimit-remaining": String(remaining),
      "x-ratelimit-reset": inOneMinute(time),
    });
    const slow = openCall();
    const first = rateLimiter.run("submit", "execution", async (report) => {
      await slow.call();
      report.answered(200, new Headers(told(30)));
    });
    await rateLimiter.run("submit", "execution", answering(200, told(1)));
    slow.end();
    await first;
    expect(rateLimiter.reserve("execution")).toEqual({ granted: false, waitMs: 60_000 });
  });

  test("headers of an answer are measured against Lyceum's clock when it is told", async () => {
    const { time, rateLimiter } = setUp();
    const headers = {
      date: "Tue, 01 Sep 2020 08:00:00 GMT",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": String(Date.UTC(2020, 8, 1, 8, 0, 30) / 1000),
    };
    await rateLimiter.run("routine", "read", answering(200, headers));
    expect(rateLimiter.state().buckets.read.resetsAt).toBe(time.now() + 30_000);
  });

  test("headers of an answer that make no sense change nothing", async () => {
    const { rateLimiter } = setUp();
    const headers = {
      "x-ratelimit-limit": "many",
      "x-ratelimit-remaining": "-",
      "x-ratelimit-reset": "soon",
    };
    await rateLimiter.run("routine", "read", answering(200, headers));
    expect(rateLimiter.state().buckets.read).toMatchObject({ limit: null, remaining: null, resetsAt: null });
  });
});

describe("a 429", () => {
  test.each([
    ["seconds", { "retry-after": "7" }, 7_000],
    ["an HTTP date", { "retry-after": "Tue, 01 Sep 2026 08:00:09 GMT" }, 9_000],
    [
      "a date of Lyceum's own clock",
      { date: "Tue, 01 Sep 2020 08:00:00 GMT", "retry-after": "Tue, 01 Sep 2020 08:00:05 GMT" },
      5_000,
    ],
    ["nothing", {}, 1_000],
    ["only a reset", { "x-ratelimit-reset": "12" }, 12_000],
    ["zero", { "retry-after": "0" }, 1_000],
    ["nonsense", { "retry-after": "soon" }, 1_000],
    ["a year", { "retry-after": "31536000" }, HOUR],
  ])("a 429 with %s pauses its bucket for that long", async (_, headers, ms) => {
    const { time, rateLimiter } = setUp();
    expect(await rateLimiter.run("routine", "read", answering(429, headers))).toEqual({
      deferred: null,
      value: ms,
    });
    expect(await rateLimiter.run("cancel", "read", answering(200))).toEqual({
      deferred: "throttled",
      waitMs: ms,
    });
    expect(await rateLimiter.run("routine", "billing", answering(200))).toMatchObject({ deferred: null });
    expect(rateLimiter.state().buckets.read.pausedUntil).toBe(time.now() + ms);
    time.pass(ms);
    expect(await rateLimiter.run("routine", "read", answering(200))).toMatchObject({ deferred: null });
  });

  test("pauses with jitter that only ever lengthens", async () => {
    const { rateLimiter } = setUp({ random: () => 0.5 });
    expect(await rateLimiter.run("routine", "read", answering(429, { "retry-after": "100" }))).toMatchObject({
      value: 105_000,
    });
    expect(await rateLimiter.run("routine", "billing", answering(429, { "retry-after": "1" }))).toMatchObject(
      {
        value: 1_500,
      },
    );
  });

  test("a 429 does not shorten a longer pause", async () => {
    const { rateLimiter } = setUp();
    const slow = rateLimiter.run("routine", "read", async (report) => {
      await Promise.resolve();
      return report.answered(429, new Headers({ "retry-after": "5" }));
    });
    await rateLimiter.run("routine", "read", answering(429, { "retry-after": "50" }));
    expect(await slow).toMatchObject({ value: 50_000 });
  });

  test("a 429 is reported to each listener, until the listener stops", async () => {
    const { time, rateLimiter } = setUp();
    const pauses: Pause[] = [];
    const stop = rateLimiter.onPause((pause) => pauses.push(pause));
    await rateLimiter.run("routine", "read", answering(429, { "retry-after": "5" }));
    stop();
    await rateLimiter.run("routine", "billing", answering(429, { "retry-after": "5" }));
    expect(pauses).toEqual([{ bucket: "read", until: time.now() + 5_000 }]);
  });
});

describe("after a restart", () => {
  test("former starts and pauses still count", async () => {
    const { time, rateLimiter } = setUp({ limits: { execution: { max: 2, windowMs: HOUR } } });
    time.pass(5 * HOUR);
    const wall = time.now();
    rateLimiter.restoreStarts([wall - 2 * HOUR, wall - 1_000, wall - 3_000]);
    rateLimiter.heed([
      { bucket: "read", until: wall + 9_000 },
      { bucket: "auth", until: wall - 1 },
      { bucket: "a bucket of a later version", until: wall + 9_000 },
    ]);
    expect(rateLimiter.reserve("execution")).toEqual({ granted: false, waitMs: HOUR - 3_000 });
    expect(await rateLimiter.run("routine", "read", answering(200))).toEqual({
      deferred: "throttled",
      waitMs: 9_000,
    });
    expect(await rateLimiter.run("submit", "auth", answering(200))).toMatchObject({ deferred: null });
  });

  test("times from a clock that ran ahead are no reason to wait longer than a window", async () => {
    const { time, rateLimiter } = setUp({ limits: { execution: { max: 1, windowMs: HOUR } } });
    const wall = time.now();
    rateLimiter.restoreStarts([wall + 99 * HOUR]);
    rateLimiter.heed([{ bucket: "read", until: wall + 999 * HOUR }]);
    expect(rateLimiter.reserve("execution")).toEqual({ granted: false, waitMs: HOUR });
    expect(await rateLimiter.run("routine", "read", answering(200))).toEqual({
      deferred: "throttled",
      waitMs: HOUR,
    });
  });
});

describe("priorities", () => {
  test("priorities go in their order when there are more calls than places", async () => {
    const { rateLimiter } = setUp({ concurrency: { read: 1 } });
    const first = openCall();
    const order: string[] = [];
    const calls = [rateLimiter.run("collect", "read", first.call)];
    for (const priority of ["live", "collect", "routine", "overdue", "confirm", "submit"] as const) {
      calls.push(rateLimiter.run(priority, "read", async () => void order.push(priority)));
    }
    first.end();
    await Promise.all(calls);
    expect(order).toEqual(["submit", "confirm", "overdue", "routine", "collect", "live"]);
  });

  test("a cancellation does not wait for slow reads", async () => {
    const { rateLimiter } = setUp({ concurrency: { read: 1 } });
    const slow = openCall();
    const reading = rateLimiter.run("routine", "read", slow.call);
    expect(await rateLimiter.run("cancel", "read", answering(200))).toMatchObject({ deferred: null });
    slow.end();
    await reading;
  });

  test("a call that waited for a place meets a pause that began meanwhile", async () => {
    const { rateLimiter } = setUp({ concurrency: { read: 1 } });
    const first = rateLimiter.run("routine", "read", async (report) => {
      await settle();
      report.answered(429, new Headers({ "retry-after": "5" }));
    });
    const second = rateLimiter.run("routine", "read", answering(200));
    await first;
    expect(await second).toEqual({ deferred: "throttled", waitMs: 5_000 });
  });

  test("a crowded bucket holds further calls, but no cancellation", async () => {
    const { rateLimiter } = setUp({ concurrency: { read: 1 }, maxWaiting: 1 });
    const slow = openCall();
    const waiting = [
      rateLimiter.run("routine", "read", slow.call),
      rateLimiter.run("routine", "read", slow.call),
    ];
    await settle();
    expect(rateLimiter.state().buckets.read).toMatchObject({ running: 1, waiting: 1 });
    expect(await rateLimiter.run("confirm", "read", answering(200))).toEqual({
      deferred: "throttled",
      waitMs: 1_000,
    });
    expect(await rateLimiter.run("cancel", "read", answering(200))).toMatchObject({ deferred: null });
    slow.end();
    await Promise.all(waiting);
  });

  test("the queue is crowded while more than half of the calls that may wait do", async () => {
    const { rateLimiter } = setUp({ concurrency: { read: 1 }, maxWaiting: 4 });
    const slow = openCall();
    const waiting = Array.from({ length: 3 }, () => rateLimiter.run("routine", "read", slow.call));
    await settle();
    expect(rateLimiter.isCrowded()).toBe(false);
    waiting.push(rateLimiter.run("routine", "read", slow.call));
    await settle();
    expect(rateLimiter.isCrowded()).toBe(true);
    slow.end();
    await Promise.all(waiting);
    expect(rateLimiter.isCrowded()).toBe(false);
  });

  test("an error thrown by a call is passed on, and its permit is free again", async () => {
    const { rateLimiter } = setUp({ concurrency: { read: 1 } });
    const bug = rateLimiter.run("routine", "read", async () => {
      throw new Error("bug");
    });
    await expect(bug).rejects.toThrow("bug");
    expect(await rateLimiter.run("routine", "read", answering(200))).toMatchObject({ deferred: null });
  });
});

describe("a Lyceum that gives no answer", () => {
  async function fail(rateLimiter: ReturnType<typeof createRateLimiter>, times: number) {
    for (let i = 0; i < times; i += 1) await rateLimiter.run("routine", "read", unanswered);
  }

  test("a Lyceum that gives no answer is left alone after some failures in a row, by all but cancellations and starts", async () => {
    const { time, rateLimiter } = setUp();
    await fail(rateLimiter, 4);
    expect(rateLimiter.state().breaker).toEqual({ state: "closed", failures: 4, retryAt: null });
    await fail(rateLimiter, 1);
    expect(rateLimiter.state().breaker).toEqual({ state: "open", failures: 5, retryAt: time.now() + 500 });
    for (const priority of ["confirm", "overdue", "routine", "collect"] as const) {
      expect(await rateLimiter.run(priority, "read", answering(200))).toEqual({
        deferred: "unreachable",
        waitMs: 500,
      });
    }
    expect(rateLimiter.reserve("execution").granted).toBe(true);
    expect(await rateLimiter.run("cancel", "read", unanswered)).toMatchObject({ deferred: null });
  });

  test("a Lyceum that gives no answer is asked by one call at a time when the pause is over", async () => {
    const { time, rateLimiter } = setUp();
    await fail(rateLimiter, 5);
    time.pass(500);
    const probe = openCall();
    const probing = rateLimiter.run("routine", "read", async (report) => {
      await probe.call();
      report.answered(200, new Headers());
    });
    await settle();
    expect(rateLimiter.state().breaker.state).toBe("half_open");
    expect(await rateLimiter.run("confirm", "read", answering(200))).toEqual({
      deferred: "unreachable",
      waitMs: 1_000,
    });
    probe.end();
    await probing;
    expect(rateLimiter.state().breaker).toMatchObject({ state: "closed", failures: 0 });
  });

  test("a Lyceum that gives no answer is asked again by another when a probe came to no result", async () => {
    const { time, rateLimiter } = setUp();
    await fail(rateLimiter, 5);
    time.pass(500);
    await rateLimiter.run("routine", "read", async () => {});
    expect(await rateLimiter.run("routine", "read", answering(200))).toMatchObject({ deferred: null });
  });

  test("a Lyceum that gives no answer is asked ever more rarely, at the least once a minute, with jitter", async () => {
    const { time, rateLimiter } = setUp({ random: () => 1 });
    await fail(rateLimiter, 5);
    const waits: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      const { retryAt } = rateLimiter.state().breaker;
      waits.push((retryAt ?? 0) - time.now());
      time.pass(waits.at(-1) ?? 0);
      await fail(rateLimiter, 1);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  test("a Lyceum that gives no answer is not left alone longer because many calls failed together", async () => {
    const { time, rateLimiter } = setUp({ concurrency: { read: 20 } });
    await Promise.all(Array.from({ length: 20 }, () => rateLimiter.run("routine", "read", unanswered)));
    expect(rateLimiter.state().breaker.retryAt).toBe(time.now() + 500);
  });

  test("a Lyceum that gives no answer is back with any answer, also to a cancellation", async () => {
    const { rateLimiter } = setUp();
    await fail(rateLimiter, 5);
    await rateLimiter.run("cancel", "read", answering(503));
    expect(await rateLimiter.run("routine", "read", answering(200))).toMatchObject({ deferred: null });
  });
});
