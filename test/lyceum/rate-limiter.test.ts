import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type CallReport,
  createRateLimiter,
  type Pause,
  type RateLimiterOptions,
} from "../../src/lyceum/rate-limiter.ts";
import { createFakeTime } from "./fake-time.ts";

const HOUR = 3_600_000;

function setUp(options: Partial<RateLimiterOptions> = {}) {
  const time = createFakeTime();
  const throttle = createRateLimiter({ clock: time, random: () => 0, ...options });
  return { time, throttle };
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
  test("grants what the limit allows and says how long the next has to wait", () => {
    const { time, throttle } = setUp({ limits: { execution: { max: 2, windowMs: 1_000 } } });
    expect(throttle.reserve("execution").granted).toBe(true);
    time.pass(100);
    expect(throttle.reserve("execution").granted).toBe(true);
    expect(throttle.reserve("execution")).toMatchObject({ granted: false });
  });

  test("a released place can be granted again, and releasing twice gives back one", () => {
    const { throttle } = setUp({ limits: { execution: { max: 2, windowMs: 1_000 } } });
    const first = throttle.reserve("execution");
    throttle.reserve("execution");
    if (!first.granted) throw new Error("not granted");
    first.release();
    first.release();
    expect(throttle.reserve("execution").granted).toBe(true);
    expect(throttle.reserve("execution").granted).toBe(false);
  });

  test("a start takes over its place instead of a second one", async () => {
    const { throttle } = setUp({ limits: { execution: { max: 1, windowMs: 1_000 } } });
    throttle.reserve("execution");
    expect(await throttle.run("submit", "execution", answering(200))).toMatchObject({ held: null });
    expect(throttle.state().groups.execution).toMatchObject({ used: 1, remaining: 0 });
  });

  test("a start counts from when it was over, not from when it was reserved", async () => {
    const { time, throttle } = setUp({ limits: { execution: { max: 1, windowMs: 1_000 } } });
    throttle.reserve("execution");
    time.pass(5_000);
    await throttle.run("submit", "execution", answering(200));
    time.pass(999);
    expect(throttle.reserve("execution")).toEqual({ granted: false, waitMs: 1 });
    time.pass(1);
    expect(throttle.reserve("execution").granted).toBe(true);
  });

  test("a start that never reached Lyceum gives its place back", async () => {
    const { throttle } = setUp({ limits: { execution: { max: 1, windowMs: 1_000 } } });
    throttle.reserve("execution");
    await throttle.run("submit", "execution", async (report) => report.unsent());
    expect(throttle.reserve("execution").granted).toBe(true);
  });

  test("a start without a reserved place needs one like any call", async () => {
    const { throttle } = setUp({ limits: { execution: { max: 1, windowMs: 1_000 } } });
    await throttle.run("submit", "execution", answering(200));
    expect(await throttle.run("submit", "execution", answering(200))).toEqual({
      held: "throttled",
      waitMs: 1_000,
    });
  });

  test("a start that a pause holds gives its place back", async () => {
    const { time, throttle } = setUp({ limits: { execution: { max: 2, windowMs: HOUR } } });
    throttle.reserve("execution");
    throttle.reserve("execution");
    await throttle.run("submit", "execution", answering(429, { "retry-after": "30" }));
    expect(await throttle.run("submit", "execution", answering(200))).toEqual({
      held: "throttled",
      waitMs: 30_000,
    });
    time.pass(30_000);
    expect(throttle.state().groups.execution).toMatchObject({ used: 1, remaining: 1, pausedUntil: null });
  });

  test("without a limit every start is granted", () => {
    const { throttle } = setUp({ limits: { execution: null } });
    for (let i = 0; i < 1_000; i += 1) expect(throttle.reserve("execution").granted).toBe(true);
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

  test("never holds more than its limit, whatever the schedule", async () => {
    const schedule = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 80 }));
    await fc.assert(
      fc.asyncProperty(schedule, async ([max, steps]) => {
        const windowMs = 1_000;
        const { time, throttle } = setUp({
          limits: { execution: { max, windowMs } },
          concurrency: { execution: 100 },
        });
        const places: { release(): void }[] = [];
        const open: ((how: string) => void)[] = [];
        /** Each start's first and last moment at which Lyceum may count it. */
        const sent: { from: number; to: number }[] = [];
        const start = () =>
          throttle.run("submit", "execution", async (report) => {
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
            const place = throttle.reserve("execution");
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
        expect(throttle.state().groups.execution.used).toBeLessThanOrEqual(max);
      }),
      { numRuns: 300 },
    );
  });

  test("keeps a part for the more urgent lanes", async () => {
    const { throttle } = setUp({ limits: { billing: { max: 10, windowMs: HOUR } } });
    const spend = async (lane: "collect" | "routine" | "confirm" | "cancel") => {
      let calls = 0;
      while (!(await throttle.run(lane, "billing", answering(200))).held) calls += 1;
      return calls;
    };
    expect(await spend("collect")).toBe(7);
    expect(await spend("routine")).toBe(1);
    expect(await spend("confirm")).toBe(2);
    expect(await spend("cancel")).toBe(0);
  });

  test("does not mind a wall clock that jumps", async () => {
    const { time, throttle } = setUp({ limits: { execution: { max: 1, windowMs: HOUR } } });
    await throttle.run("submit", "execution", answering(200));
    time.jumpWall(10 * HOUR);
    expect(throttle.reserve("execution")).toEqual({ granted: false, waitMs: HOUR });
    time.jumpWall(-20 * HOUR);
    time.pass(HOUR);
    expect(throttle.reserve("execution").granted).toBe(true);
  });
});

describe("headers of an answer", () => {
  const inOneMinute = (time: { now(): number }) => String((time.now() + 60_000) / 1000);

  test("overrule a limit that is too high", async () => {
    const { time, throttle } = setUp();
    const headers = {
      "x-ratelimit-limit": "50",
      "x-ratelimit-remaining": "1",
      "x-ratelimit-reset": inOneMinute(time),
    };
    await throttle.run("submit", "execution", answering(200, headers));
    expect(throttle.reserve("execution").granted).toBe(true);
    expect(throttle.reserve("execution")).toEqual({ granted: false, waitMs: 60_000 });
    expect(throttle.state().groups.execution).toMatchObject({
      limit: { max: 50, windowMs: HOUR },
      remaining: 0,
      resetsAt: time.now() + 60_000,
    });
  });

  test("hold until an answer comes without them: then the setting counts again", async () => {
    const { time, throttle } = setUp({ limits: { execution: { max: 3, windowMs: HOUR } } });
    await throttle.run("submit", "execution", answering(200, { "x-ratelimit-limit": "1" }));
    expect(throttle.reserve("execution")).toEqual({ granted: false, waitMs: HOUR });
    time.pass(HOUR);
    await throttle.run("submit", "execution", answering(200));
    for (let i = 0; i < 2; i += 1) expect(throttle.reserve("execution").granted).toBe(true);
    expect(throttle.reserve("execution").granted).toBe(false);
  });

  test("overrule a limit that is too low", async () => {
    const { time, throttle } = setUp({ limits: { execution: { max: 1, windowMs: HOUR } } });
    const headers = { "x-ratelimit-remaining": "3", "x-ratelimit-reset": inOneMinute(time) };
    await throttle.run("submit", "execution", answering(200, headers));
    for (let i = 0; i < 3; i += 1) expect(throttle.reserve("execution").granted).toBe(true);
    expect(throttle.reserve("execution").granted).toBe(false);
  });

  test("limit a group that has no limit of its own", async () => {
    const { time, throttle } = setUp();
    const headers = {
      "x-ratelimit-limit": "9",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": inOneMinute(time),
    };
    await throttle.run("routine", "read", answering(200, headers));
    expect(await throttle.run("cancel", "read", answering(200))).toEqual({
      held: "throttled",
      waitMs: 60_000,
    });
    time.pass(60_000);
    expect(await throttle.run("routine", "read", answering(200))).toMatchObject({ held: null });
  });

  test("free the whole window at Lyceum's reset", async () => {
    const { time, throttle } = setUp({ limits: { execution: { max: 1, windowMs: HOUR } } });
    const headers = {
      "x-ratelimit-limit": "1",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": inOneMinute(time),
    };
    await throttle.run("submit", "execution", answering(200, headers));
    time.pass(60_000);
    expect(throttle.reserve("execution").granted).toBe(true);
  });

  test("count what is still under way as used", async () => {
    const { time, throttle } = setUp();
    const headers = { "x-ratelimit-remaining": "2", "x-ratelimit-reset": inOneMinute(time) };
    const slow = openCall();
    const running = throttle.run("routine", "read", slow.call);
    await throttle.run("submit", "read", answering(200, headers));
    expect(throttle.state().groups.read.remaining).toBe(1);
    slow.end();
    await running;
  });

  test("are measured against Lyceum's clock when it is told", async () => {
    const { time, throttle } = setUp();
    const headers = {
      date: "Tue, 01 Sep 2020 08:00:00 GMT",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": String(Date.UTC(2020, 8, 1, 8, 0, 30) / 1000),
    };
    await throttle.run("routine", "read", answering(200, headers));
    expect(throttle.state().groups.read.resetsAt).toBe(time.now() + 30_000);
  });

  test("that make no sense change nothing", async () => {
    const { throttle } = setUp();
    const headers = {
      "x-ratelimit-limit": "many",
      "x-ratelimit-remaining": "-",
      "x-ratelimit-reset": "soon",
    };
    await throttle.run("routine", "read", answering(200, headers));
    expect(throttle.state().groups.read).toMatchObject({ limit: null, remaining: null, resetsAt: null });
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
  ])("with %s pauses its group for that long", async (_, headers, ms) => {
    const { time, throttle } = setUp();
    expect(await throttle.run("routine", "read", answering(429, headers))).toEqual({ held: null, value: ms });
    expect(await throttle.run("cancel", "read", answering(200))).toEqual({ held: "throttled", waitMs: ms });
    expect(await throttle.run("routine", "billing", answering(200))).toMatchObject({ held: null });
    expect(throttle.state().groups.read.pausedUntil).toBe(time.now() + ms);
    time.pass(ms);
    expect(await throttle.run("routine", "read", answering(200))).toMatchObject({ held: null });
  });

  test("pauses with jitter that only ever lengthens", async () => {
    const { throttle } = setUp({ random: () => 0.5 });
    expect(await throttle.run("routine", "read", answering(429, { "retry-after": "100" }))).toMatchObject({
      value: 105_000,
    });
    expect(await throttle.run("routine", "billing", answering(429, { "retry-after": "1" }))).toMatchObject({
      value: 1_500,
    });
  });

  test("does not shorten a longer pause", async () => {
    const { throttle } = setUp();
    const slow = throttle.run("routine", "read", async (report) => {
      await Promise.resolve();
      return report.answered(429, new Headers({ "retry-after": "5" }));
    });
    await throttle.run("routine", "read", answering(429, { "retry-after": "50" }));
    expect(await slow).toMatchObject({ value: 50_000 });
  });

  test("is told to whoever listens, until they stop", async () => {
    const { time, throttle } = setUp();
    const pauses: Pause[] = [];
    const stop = throttle.onPause((pause) => pauses.push(pause));
    await throttle.run("routine", "read", answering(429, { "retry-after": "5" }));
    stop();
    await throttle.run("routine", "billing", answering(429, { "retry-after": "5" }));
    expect(pauses).toEqual([{ group: "read", until: time.now() + 5_000 }]);
  });
});

describe("after a restart", () => {
  test("former starts and pauses still count", async () => {
    const { time, throttle } = setUp({ limits: { execution: { max: 2, windowMs: HOUR } } });
    time.pass(5 * HOUR);
    const wall = time.now();
    throttle.restore({
      startedAt: [wall - 2 * HOUR, wall - 1_000, wall - 3_000],
      pauses: [
        { group: "read", until: wall + 9_000 },
        { group: "auth", until: wall - 1 },
      ],
    });
    expect(throttle.reserve("execution")).toEqual({ granted: false, waitMs: HOUR - 3_000 });
    expect(await throttle.run("routine", "read", answering(200))).toEqual({
      held: "throttled",
      waitMs: 9_000,
    });
    expect(await throttle.run("submit", "auth", answering(200))).toMatchObject({ held: null });
  });

  test("times from a clock that ran ahead are no reason to wait longer than a window", async () => {
    const { time, throttle } = setUp({ limits: { execution: { max: 1, windowMs: HOUR } } });
    const wall = time.now();
    throttle.restore({
      startedAt: [wall + 99 * HOUR],
      pauses: [{ group: "read", until: wall + 999 * HOUR }],
    });
    expect(throttle.reserve("execution")).toEqual({ granted: false, waitMs: HOUR });
    expect(await throttle.run("routine", "read", answering(200))).toEqual({
      held: "throttled",
      waitMs: HOUR,
    });
  });
});

describe("lanes", () => {
  test("go in their order when there are more calls than places", async () => {
    const { throttle } = setUp({ concurrency: { read: 1 } });
    const first = openCall();
    const order: string[] = [];
    const calls = [throttle.run("collect", "read", first.call)];
    for (const lane of ["collect", "routine", "overdue", "confirm", "submit"] as const) {
      calls.push(throttle.run(lane, "read", async () => void order.push(lane)));
    }
    first.end();
    await Promise.all(calls);
    expect(order).toEqual(["submit", "confirm", "overdue", "routine", "collect"]);
  });

  test("a cancellation does not wait for slow reads", async () => {
    const { throttle } = setUp({ concurrency: { read: 1 } });
    const slow = openCall();
    const reading = throttle.run("routine", "read", slow.call);
    expect(await throttle.run("cancel", "read", answering(200))).toMatchObject({ held: null });
    slow.end();
    await reading;
  });

  test("a call that waited for a place meets a pause that began meanwhile", async () => {
    const { throttle } = setUp({ concurrency: { read: 1 } });
    const first = throttle.run("routine", "read", async (report) => {
      await settle();
      report.answered(429, new Headers({ "retry-after": "5" }));
    });
    const second = throttle.run("routine", "read", answering(200));
    await first;
    expect(await second).toEqual({ held: "throttled", waitMs: 5_000 });
  });

  test("a crowded group holds further calls, but no cancellation", async () => {
    const { throttle } = setUp({ concurrency: { read: 1 }, maxWaiting: 1 });
    const slow = openCall();
    const waiting = [throttle.run("routine", "read", slow.call), throttle.run("routine", "read", slow.call)];
    await settle();
    expect(throttle.state().groups.read).toMatchObject({ running: 1, waiting: 1 });
    expect(await throttle.run("confirm", "read", answering(200))).toEqual({
      held: "throttled",
      waitMs: 1_000,
    });
    expect(await throttle.run("cancel", "read", answering(200))).toMatchObject({ held: null });
    slow.end();
    await Promise.all(waiting);
  });

  test("is crowded while more than half of those that may wait do", async () => {
    const { throttle } = setUp({ concurrency: { read: 1 }, maxWaiting: 4 });
    const slow = openCall();
    const waiting = Array.from({ length: 3 }, () => throttle.run("routine", "read", slow.call));
    await settle();
    expect(throttle.isCrowded()).toBe(false);
    waiting.push(throttle.run("routine", "read", slow.call));
    await settle();
    expect(throttle.isCrowded()).toBe(true);
    slow.end();
    await Promise.all(waiting);
    expect(throttle.isCrowded()).toBe(false);
  });

  test("what a call throws is thrown, and its place is free again", async () => {
    const { throttle } = setUp({ concurrency: { read: 1 } });
    const bug = throttle.run("routine", "read", async () => {
      throw new Error("bug");
    });
    await expect(bug).rejects.toThrow("bug");
    expect(await throttle.run("routine", "read", answering(200))).toMatchObject({ held: null });
  });
});

describe("a Lyceum that gives no answer", () => {
  async function fail(throttle: ReturnType<typeof createRateLimiter>, times: number) {
    for (let i = 0; i < times; i += 1) await throttle.run("routine", "read", unanswered);
  }

  test("is left alone after some failures in a row, by all but cancellations and starts", async () => {
    const { time, throttle } = setUp();
    await fail(throttle, 4);
    expect(throttle.state().breaker).toEqual({ state: "closed", failures: 4, retryAt: null });
    await fail(throttle, 1);
    expect(throttle.state().breaker).toEqual({ state: "open", failures: 5, retryAt: time.now() + 500 });
    for (const lane of ["confirm", "overdue", "routine", "collect"] as const) {
      expect(await throttle.run(lane, "read", answering(200))).toEqual({ held: "unreachable", waitMs: 500 });
    }
    expect(throttle.reserve("execution").granted).toBe(true);
    expect(await throttle.run("cancel", "read", unanswered)).toMatchObject({ held: null });
  });

  test("is asked by one call at a time when the pause is over", async () => {
    const { time, throttle } = setUp();
    await fail(throttle, 5);
    time.pass(500);
    const probe = openCall();
    const probing = throttle.run("routine", "read", async (report) => {
      await probe.call();
      report.answered(200, new Headers());
    });
    await settle();
    expect(throttle.state().breaker.state).toBe("half_open");
    expect(await throttle.run("confirm", "read", answering(200))).toEqual({
      held: "unreachable",
      waitMs: 1_000,
    });
    probe.end();
    await probing;
    expect(throttle.state().breaker).toMatchObject({ state: "closed", failures: 0 });
  });

  test("is asked again by another when a probe came to no result", async () => {
    const { time, throttle } = setUp();
    await fail(throttle, 5);
    time.pass(500);
    await throttle.run("routine", "read", async () => {});
    expect(await throttle.run("routine", "read", answering(200))).toMatchObject({ held: null });
  });

  test("is asked ever more rarely, at the least once a minute, with jitter", async () => {
    const { time, throttle } = setUp({ random: () => 1 });
    await fail(throttle, 5);
    const waits: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      const { retryAt } = throttle.state().breaker;
      waits.push((retryAt ?? 0) - time.now());
      time.pass(waits.at(-1) ?? 0);
      await fail(throttle, 1);
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  test("is not left alone longer because many calls failed together", async () => {
    const { time, throttle } = setUp({ concurrency: { read: 20 } });
    await Promise.all(Array.from({ length: 20 }, () => throttle.run("routine", "read", unanswered)));
    expect(throttle.state().breaker.retryAt).toBe(time.now() + 500);
  });

  test("is back with any answer, also to a cancellation", async () => {
    const { throttle } = setUp();
    await fail(throttle, 5);
    await throttle.run("cancel", "read", answering(503));
    expect(await throttle.run("routine", "read", answering(200))).toMatchObject({ held: null });
  });
});
