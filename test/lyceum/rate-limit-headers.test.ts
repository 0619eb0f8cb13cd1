import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_PAUSE_MS, readLimits } from "../../src/lyceum/rate-limit-headers.ts";
import {
  type CallReport,
  createRateLimiter,
  type RateLimiterOptions,
} from "../../src/lyceum/rate-limiter.ts";
import { createFakeTime } from "./fake-time.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 8, 1, 8);

function setUp(options: Partial<RateLimiterOptions> = {}) {
  const time = createFakeTime();
  const rateLimiter = createRateLimiter({ clock: time, random: () => 0, ...options });
  const answer = (
    status: number,
    headers: Record<string, string> = {},
    bucket: "execution" | "read" = "execution",
  ) =>
    rateLimiter.run("submit", bucket, async (report: CallReport) =>
      report.answered(status, new Headers(headers)),
    );
  return { time, rateLimiter, answer };
}

const in30s = START + 30_000;
const ways: [string, string, number | null][] = [
  ["seconds from now", "30", 30_000],
  ["a fraction of seconds", "1.5", 1_500],
  ["milliseconds from now", "120000", 120_000],
  ["few milliseconds from now", "9873", 9_873],
  ["an hour and a little in seconds", "3601", 3_601_000],
  ["two hours in seconds", "7200", 2 * HOUR],
  ["a day in seconds", "86400", 24 * HOUR],
  ["a year in seconds", "31536000", 8_760 * HOUR],
  ["epoch seconds", String(in30s / 1e3), 30_000],
  ["epoch seconds with a fraction", String(in30s / 1e3 + 0.25), 30_250],
  ["epoch milliseconds", String(in30s), 30_000],
  ["epoch microseconds", String(in30s * 1e3), 30_000],
  ["epoch nanoseconds", `${in30s}000000`, 30_000],
  ["epoch seconds that are over", String(START / 1e3 - 99), 0],
  ["epoch milliseconds that are over", String(START - 99), 0],
  ["the far future", "9999999999", 9_999_999_999_000 - START],
  ["an ISO date", "2026-09-01T08:00:30Z", 30_000],
  ["an ISO date with an offset and microseconds", "2026-09-01T10:00:30.000000+02:00", 30_000],
  ["an ISO date that is over", "2026-09-01T07:00:00Z", 0],
  ["an HTTP date", "Tue, 01 Sep 2026 08:00:30 GMT", 30_000],
  ["an HTTP date that is over", "Tue, 01 Sep 2026 07:00:00 GMT", 0],
  ["a number with a sign", "+30", 30_000],
  ["a negative number", "-30", 0],
  ["a negative epoch", "-1790000000", 0],
  ["blanks around it", "  30 ", 30_000],
  ["a word", "soon", null],
  ["a word and a number", "soon 5", null],
  ["nothing", "", null],
  ["an exponent", "1e99", null],
  ["no number", "NaN", null],
];

describe.each(["retry-after", "x-ratelimit-reset"])("%s", (name) => {
  test.each(ways)("a header as %s is read by its size and form", (_, value, ms) => {
    const { retryAfterMs, resetInMs } = readLimits(new Headers({ [name]: value }), START);
    expect(name === "retry-after" ? retryAfterMs : resetInMs).toBe(ms);
  });

  test.each(ways)("a header as %s never pauses a bucket for more than an hour", async (_, value, ms) => {
    const { time, answer } = setUp();
    const expected = ms === null ? 1_000 : Math.min(Math.max(ms, 1_000), HOUR);
    expect(await answer(429, { [name]: value })).toEqual({ deferred: null, value: expected });
    time.pass(expected);
    expect(await answer(200)).toMatchObject({ deferred: null });
  });
});

describe("a 429", () => {
  test("a 429 believes a good Retry-After beside a broken reset, and a good reset beside a broken Retry-After", async () => {
    for (const broken of ["9999999999", "soon", "99999999", String(START + 30 * 24 * HOUR)]) {
      const [one, other] = [setUp(), setUp()];
      expect(await one.answer(429, { "retry-after": "7", "x-ratelimit-reset": broken })).toMatchObject({
        value: 7_000,
      });
      expect(await other.answer(429, { "retry-after": broken, "x-ratelimit-reset": "7" })).toMatchObject({
        value: 7_000,
      });
    }
  });

  test("a 429 without a readable time pauses its bucket alone, for seconds that grow to a minute", async () => {
    const { time, answer } = setUp();
    const pauses: unknown[] = [];
    for (let i = 0; i < 8; i++) {
      const { value } = (await answer(429)) as { value: number };
      pauses.push(value);
      expect(await answer(200, {}, "read")).toMatchObject({ deferred: null });
      time.pass(value);
    }
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  test.each([200, 404, 500])("a 429 after an answer of %d begins to grow anew", async (status) => {
    const { time, answer } = setUp();
    for (let i = 0; i < 5; i++) time.pass(((await answer(429)) as { value: number }).value);
    await answer(status);
    expect(await answer(429)).toMatchObject({ value: 1_000 });
  });

  test("a 429 that answers calls made together lengthens the pause once", async () => {
    const { time, answer } = setUp();
    await Promise.all(Array.from({ length: 8 }, () => answer(429)));
    time.pass(1_000);
    expect(await answer(429)).toMatchObject({ value: 2_000 });
  });

  test("a 429 that asks for no time at all, again and again, is not asked every second", async () => {
    const { time, answer } = setUp();
    for (let i = 0; i < 6; i++)
      time.pass(((await answer(429, { "retry-after": "0" })) as { value: number }).value);
    expect(await answer(429, { "retry-after": "0" })).toMatchObject({ value: 60_000 });
  });
});

describe("a limit that is absurd", () => {
  const absurd = [
    "1e99",
    "0",
    "-1",
    "-100",
    "1000001",
    "9".repeat(400),
    "NaN",
    "Infinity",
    "many",
    "",
    "0x10",
    "1.5",
  ];

  test.each(absurd)("a limit that is absurd such as %j changes nothing", async (max) => {
    const { rateLimiter, answer } = setUp({ limits: { execution: { max: 3, windowMs: HOUR } } });
    const headers = { "x-ratelimit-limit": max, "x-ratelimit-remaining": "0", "x-ratelimit-reset": "3600" };
    await answer(200, headers);
    expect(rateLimiter.state().buckets.execution).toMatchObject({
      limit: { max: 3, windowMs: HOUR },
      remaining: 2,
    });
  });

  test.each(absurd.filter((value) => value !== "0"))(
    "such as %j that are left hold nothing",
    async (remaining) => {
      const { rateLimiter, answer } = setUp();
      await answer(200, {
        "x-ratelimit-limit": "50",
        "x-ratelimit-remaining": remaining,
        "x-ratelimit-reset": "60",
      });
      expect(rateLimiter.state().buckets.execution).toMatchObject({ limit: { max: 50 }, remaining: 49 });
    },
  );

  test("a limit that is absurd leaves fewer calls than are left of it", async () => {
    const { rateLimiter, answer } = setUp();
    await answer(200, { "x-ratelimit-limit": "5", "x-ratelimit-remaining": "6", "x-ratelimit-reset": "60" });
    expect(rateLimiter.state().buckets.execution).toMatchObject({ limit: { max: 5 }, remaining: 4 });
  });
});

describe("a quota", () => {
  test.each(["9999999999", "soon", "", "7200", String(START + 2 * HOUR)])(
    "that is used up until %j holds no start: the window decides",
    async (reset) => {
      const { rateLimiter, answer } = setUp({ limits: { execution: { max: 2, windowMs: HOUR } } });
      await answer(200, { "x-ratelimit-remaining": "0", "x-ratelimit-reset": reset });
      expect(rateLimiter.reserve("execution").granted).toBe(true);
      expect(rateLimiter.reserve("execution").granted).toBe(false);
    },
  );

  test.each(["0", "-5", String(START / 1e3 - 60)])(
    "whose reset %j is over frees no window",
    async (reset) => {
      const { rateLimiter, answer } = setUp({ limits: { execution: { max: 2, windowMs: HOUR } } });
      for (let i = 0; i < 2; i++)
        await answer(200, { "x-ratelimit-remaining": "9", "x-ratelimit-reset": reset });
      expect(rateLimiter.reserve("execution").granted).toBe(false);
    },
  );
});

test("whatever the headers say, no call waits longer than an hour, and nonsense never widens the window", async () => {
  const number = fc.oneof(
    fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(String),
    fc.double().map(String),
  );
  const value = fc.oneof(
    number,
    fc.string(),
    fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
  );
  const name = fc.constantFrom("date", "retry-after", "x-ratelimit-reset", "x-ratelimit-remaining");
  const headers = fc.dictionary(
    name,
    value.map((text) => text.replaceAll(/[^\x20-\x7e]/g, "")),
  );
  const step = fc.record({
    status: fc.constantFrom(200, 429, 500),
    headers,
    passMs: fc.integer({ min: 0, max: HOUR }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
      const { time, rateLimiter, answer } = setUp({ random: () => 1 });
      for (const { status, headers, passMs } of steps) {
        await answer(status, headers);
        const { pausedUntil, limit } = rateLimiter.state().buckets.execution;
        expect((pausedUntil ?? 0) - time.now()).toBeLessThanOrEqual(MAX_PAUSE_MS);
        expect(limit?.max).toBe(100);
        const place = rateLimiter.reserve("execution");
        if (place.granted) place.release();
        else expect(place.waitMs).toBeLessThanOrEqual(MAX_PAUSE_MS);
        time.pass(passMs);
      }
    }),
    { numRuns: 300 },
  );
});
