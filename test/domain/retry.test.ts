// The delay of a further attempt.
import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffMs } from "../../src/domain/state-machine/backoff.ts";

test.each([
  [1, 5_000],
  [2, 10_000],
  [3, 20_000],
  [7, 320_000],
  [8, 600_000],
  [1_000_000, 600_000],
])("the delay after attempt %i is at most %i ms", (attempt, ceilingMs) => {
  expect(backoffMs(attempt, 1 - Number.EPSILON)).toBe(ceilingMs);
});

test("the delay is a whole number of milliseconds from one second to ten minutes", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, random) => {
        const waitMs = backoffMs(attempt, random);
        expect(Number.isInteger(waitMs) && waitMs >= 1_000 && waitMs <= 600_000).toBe(true);
      },
    ),
  );
});

test("runs that failed together are retried at different times", () => {
  expect(new Set([0, 0.25, 0.5, 0.75].map((random) => backoffMs(1, random))).size).toBe(4);
});
