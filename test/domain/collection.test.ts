// How long an artifact is worth asking for.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  afterRefusal,
  afterSilence,
  lookBackHours,
  MOST_LOG_READS,
  nextLogRead,
} from "../../src/domain/collection.ts";
import { NOW } from "./scene.ts";

const HOUR = 3_600_000;
const attempt = (tries: number, sinceMs = 0) => ({ tries, firstTriedAt: NOW - sinceMs, now: NOW });

test("what Lyceum does not have is asked for three more times, further and further apart, then given up", () => {
  expect([1, 2, 3, 4].map((tries) => afterRefusal(attempt(tries), "404"))).toEqual([
    { retryInMs: 2_000 },
    { retryInMs: 10_000 },
    { retryInMs: 30_000 },
    { giveUp: "Lyceum has none: 404" },
  ]);
});

describe("no answer", () => {
  test("never uses up a try, and is waited for as Lyceum asked, a second at least", () => {
    expect(afterSilence(attempt(1_000, HOUR - 1), 7_000, "503")).toEqual({ retryInMs: 7_000 });
    expect(afterSilence(attempt(1), 0, "503")).toEqual({ retryInMs: 1_000 });
  });

  test("for an hour gives the artifact up, with the reason", () => {
    expect(afterSilence(attempt(2, HOUR), 7_000, "503")).toEqual({
      giveUp: "Lyceum could not be asked for an hour: 503",
    });
  });
});

describe("a log", () => {
  const next = (reads: number, count: number, countBefore: number, expected = false) =>
    nextLogRead({ reads, count, countBefore, expected, proven: false }, 1_000);

  test("is read a second time, because it lags", () => {
    expect(next(1, 10, 0)).toBe(1_000);
    expect(next(1, 0, 0)).toBe(1_000);
  });

  test("that the record proves whole is read no more, however it grew", () => {
    const proven = { expected: true, proven: true };
    expect(nextLogRead({ reads: 1, count: 10, countBefore: 0, ...proven }, 1_000)).toBeNull();
    expect(nextLogRead({ reads: 2, count: 10, countBefore: 5, ...proven }, 1_000)).toBeNull();
  });

  test("is read again while it grows", () => {
    expect(next(2, 11, 10)).toBe(2_000);
  });

  test("that has stopped growing is complete", () => {
    expect(next(2, 10, 10, true)).toBeNull();
  });

  test("that is empty is waited for only if there must be one", () => {
    expect(next(3, 0, 0, true)).toBe(3_000);
    expect(next(3, 0, 0, false)).toBeNull();
  });

  test("is read a bounded number of times, even if it grows for ever", () => {
    expect(next(MOST_LOG_READS, 100, 50, true)).toBeNull();
    expect(next(MOST_LOG_READS - 1, 100, 50, true)).not.toBeNull();
  });
});

describe("Lyceum's look-back", () => {
  test.each([
    [0, 1],
    [1, 2],
    [HOUR, 2],
    [HOUR + 1, 3],
    [167 * HOUR, 168],
    [168 * HOUR, 168],
    [168 * HOUR + 1, null],
    [-HOUR, 1],
  ])("for a run that started %i ms ago is %s hours", (agoMs, hours) => {
    expect(lookBackHours(NOW - agoMs, NOW)).toBe(hours);
  });

  test("covers the run from its start, within Lyceum's limits", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 168 * HOUR }), (agoMs) => {
        const hours = lookBackHours(NOW - agoMs, NOW) ?? 0;
        expect(Number.isInteger(hours) && hours >= 1 && hours <= 168).toBe(true);
        expect(hours * HOUR).toBeGreaterThanOrEqual(agoMs);
      }),
    );
  });
});
