// The time for which an artifact is asked for.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  afterSilence,
  afterUnusable,
  lookBackHours,
  MAX_READS,
  metricsStep,
  nextLogRead,
} from "../../src/domain/collection.ts";
import { NOW } from "./scene.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const attempt = (tries: number, sinceMs = 0) => {
  return { tries, firstTriedAt: NOW - sinceMs, isKept: false, now: NOW };
};

describe("an answer that cannot be used", () => {
  test("an answer that cannot be used leads to three more requests, further and further apart, within 45 s, then the artifact is given up with the reason", () => {
    const waits = [1, 2, 3, 4].map((tries) => afterUnusable(attempt(tries), "404"));
    expect(waits).toEqual([
      { retryInMs: 2_000 },
      { retryInMs: 10_000 },
      { retryInMs: 30_000 },
      { giveUp: "404" },
    ]);
  });

  test("an answer that cannot be used after usable answers does not end the requests at once", () => {
    const waits = [4, 5, 6].map((tries) => afterUnusable({ ...attempt(tries), isKept: true }, "404"));
    expect(waits).toEqual([{ retryInMs: 30_000 }, { retryInMs: 30_000 }, { giveUp: "404" }]);
  });
});

describe("an unanswered request for an artifact", () => {
  const afterMs = (sinceMs: number, awayMsAgo: number, retryAfterMs = 15_000) =>
    afterSilence(attempt(0, sinceMs), NOW - awayMsAgo, retryAfterMs, "503");
  const never = Number.POSITIVE_INFINITY;

  test("an unanswered request for an artifact is repeated after the requested wait, of a second at least", () => {
    expect(afterMs(0, never, 7_000)).toEqual({ retryInMs: 7_000 });
    expect(afterMs(0, never, 0)).toEqual({ retryInMs: 1_000 });
  });

  test("an unanswered request for an artifact is given up after five minutes if Lyceum answers other endpoints", () => {
    expect(afterMs(5 * MINUTE - 4_000, never)).toEqual({ retryInMs: 4_000 });
    expect(afterMs(5 * MINUTE, never)).toEqual({
      giveUp: "no answer for 5 minutes, while Lyceum answered other calls: 503",
    });
  });

  test("an unanswered request for an artifact counts from the end of an outage on", () => {
    expect(afterMs(40 * MINUTE, 0)).toEqual({ retryInMs: 15_000 });
    expect(afterMs(40 * MINUTE, 5 * MINUTE - 1)).toEqual({ retryInMs: 1_000 });
    expect(afterMs(40 * MINUTE, 5 * MINUTE)).toHaveProperty("giveUp");
  });

  test("an unanswered request for an artifact is given up after an hour, even in an outage and with a longer requested wait", () => {
    expect(afterMs(HOUR - 20_000, 0, HOUR)).toEqual({ retryInMs: 20_000 });
    expect(afterMs(HOUR, 0)).toEqual({ giveUp: "Lyceum could not be asked for an hour: 503" });
  });
});

describe("a log", () => {
  const next = (reads: number, hasGrown: boolean, standing: "whole" | "lacking" | "unjudged" = "unjudged") =>
    nextLogRead({ reads, hasGrown, standing }, 1_000);

  test("a log that no record judges is read a second time, because it lags", () => {
    expect(next(1, true)).toBe(1_000);
    expect(next(1, false)).toBe(1_000);
  });

  test("a log that the record proves whole is read no more, however it grew", () => {
    expect(next(1, true, "whole")).toBeNull();
    expect(next(2, true, "whole")).toBeNull();
  });

  test("a log that no record judges is read again while it grows, and no more when it has stopped", () => {
    expect(next(2, true)).toBe(2_000);
    expect(next(2, false)).toBeNull();
  });

  test("a log that lacks lines of the record is read six times in all, further and further apart, grown or not", () => {
    const waits = Array.from({ length: MAX_READS }, (_, index) => next(index + 1, index === 0, "lacking"));
    expect(waits).toEqual([1_000, 2_000, 3_000, 4_000, 5_000, null]);
  });

  test("a log is read a bounded number of times, even if it grows for ever", () => {
    expect(next(MAX_READS, true)).toBeNull();
    expect(next(MAX_READS - 1, true)).not.toBeNull();
  });
});

test.each([
  [0, "5s"],
  [5 * MINUTE - 1, "5s"],
  [5 * MINUTE, "15s"],
  [4 * HOUR, "15s"],
  [4 * HOUR + 1, "1m"],
])("metrics of a run of %i ms are read at a distance of %s", (durationMs, name) => {
  expect(metricsStep(durationMs).name).toBe(name);
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
  ])("Lyceum's look-back for a run that started %i ms ago is %s hours", (agoMs, hours) => {
    expect(lookBackHours(NOW - agoMs, NOW)).toBe(hours);
  });

  test("Lyceum's look-back covers the run from its start, within Lyceum's limits", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 168 * HOUR }), (agoMs) => {
        const hours = lookBackHours(NOW - agoMs, NOW) ?? 0;
        expect(Number.isInteger(hours) && hours >= 1 && hours <= 168).toBe(true);
        expect(hours * HOUR).toBeGreaterThanOrEqual(agoMs);
      }),
    );
  });
});
