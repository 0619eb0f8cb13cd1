// When to look next: the bounds of every wait, and what counts as "Lyceum answered and did not know it".
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  answeredMs,
  nextCheckAt,
  nextOrphanSearchAt,
  nextSearchAt,
  type Rules,
} from "../../src/domain/state-machine/schedule.ts";
import { anExecution, NOW, rules } from "./scene.ts";

const TIMEOUT_S = 60;
const modes = ["healthy", "unproven", "absent"] as const;

const anyRules: fc.Arbitrary<Rules> = fc.record({
  pollMinMs: fc.integer({ min: 500, max: 10_000 }),
  pollMaxMs: fc.integer({ min: 10_000, max: 600_000 }),
  callbackGraceMs: fc.integer({ min: 0, max: 600_000 }),
  inDoubtAfterMs: fc.integer({ min: 1_000, max: 3_600_000 }),
  submitPatienceMs: fc.constant(180_000),
  callbacks: fc.constantFrom(...modes),
});
const ago = fc.integer({ min: -60_000, max: 86_400_000 });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });

function waitMs(execution: Parameters<typeof anExecution>[0], given: Partial<Rules> = {}): number {
  return nextCheckAt(anExecution(execution), TIMEOUT_S, NOW, { ...rules, ...given }) - NOW;
}

describe("the next check", () => {
  test("the next check of a fresh execution comes after the shortest interval, and of an old one ever later, up to the longest", () => {
    const ages = [0, 20_000, 40_000, 120_000, 240_000, 3_600_000];
    const waits = ages.map((age) => waitMs({ acceptedAt: NOW - age }));
    expect(waits).toEqual([5_000, 5_000, 10_000, 30_000, 60_000, 60_000]);
  });

  test("the next check waits for the expected end, but never longer than the longest interval", () => {
    expect(waitMs({ acceptedAt: NOW, expectedEndAt: NOW + 20_000 })).toBe(20_000);
    expect(waitMs({ acceptedAt: NOW, expectedEndAt: NOW + 600_000 })).toBe(60_000);
  });

  test("the next check waits until a callback is overdue while callbacks are seen to arrive, and no longer than the longest interval", () => {
    const healthy = (untilExpectedMs: number) =>
      waitMs({ acceptedAt: NOW, expectedEndAt: NOW + untilExpectedMs }, { callbacks: "healthy" });
    expect([10_000, 29_000, 30_000, 300_000].map(healthy)).toEqual([40_000, 59_000, 60_000, 60_000]);
    expect([-29_000, -30_000, -31_000].map(healthy)).toEqual([5_000, 60_000, 60_000]);
  });

  test("the next check without an expectation takes the timeout for it while callbacks are seen to arrive", () => {
    expect(waitMs({ acceptedAt: NOW }, { callbacks: "healthy", pollMaxMs: 600_000 })).toBe(90_000);
  });

  test.each(["callbackAt", "cancelSentAt"] as const)("comes quickly after %s, for a minute", (hint) => {
    const after = (ms: number) => waitMs({ acceptedAt: NOW - 3_600_000, [hint]: NOW - ms });
    expect([0, 500, 2_000, 4_000, 59_999, 60_000].map(after)).toEqual([
      1_000, 1_000, 2_000, 4_000, 5_000, 60_000,
    ]);
  });

  test("the next check is always at least a second off, at most the bounds allow, and in whole milliseconds", () => {
    const hints = fc.record({ acceptedAt: maybe(ago), callbackAt: maybe(ago), cancelSentAt: maybe(ago) });
    fc.assert(
      fc.property(anyRules, hints, maybe(fc.nat({ max: 600_000 })), (given, since, expectedMs) => {
        const at = (ms: number | null) => (ms === null ? null : NOW - ms);
        const acceptedAt = at(since.acceptedAt);
        const execution = anExecution({
          acceptedAt,
          callbackAt: at(since.callbackAt),
          cancelSentAt: at(since.cancelSentAt),
          expectedEndAt: expectedMs === null ? null : (acceptedAt ?? NOW) + expectedMs,
        });
        const dueAt = nextCheckAt(execution, 600, NOW, given);
        expect(Number.isInteger(dueAt)).toBe(true);
        expect(dueAt - NOW).toBeGreaterThanOrEqual(Math.min(1_000, given.pollMinMs));
        expect(dueAt - NOW).toBeLessThanOrEqual(Math.max(given.pollMaxMs, given.pollMinMs));
      }),
    );
  });
});

describe("a search for an execution in doubt", () => {
  test.each([
    [120_000, 15_000],
    [40_000, 5_000],
    [1_000, 1_000],
    [3_600_000, 15_000],
    [10_001, 1_250],
  ])(
    "a search for an execution in doubt with a grace of %i ms comes every %i ms",
    (inDoubtAfterMs, intervalMs) => {
      expect(nextSearchAt(NOW, { ...rules, inDoubtAfterMs }) - NOW).toBe(intervalMs);
    },
  );

  test("a search for an orphan comes every minute, or at the longest interval if that is longer, and ever more seldom", () => {
    const waitMs = (lostForMs: number, given = rules) =>
      nextOrphanSearchAt(NOW - lostForMs, NOW, given) - NOW;
    expect(waitMs(0)).toBe(60_000);
    expect(waitMs(0, { ...rules, pollMaxMs: 300_000 })).toBe(300_000);
    expect(waitMs(3_600_000)).toBe(450_000);
  });
});

describe("the time in which Lyceum did not know an execution", () => {
  const answered = (checkedAt: number | null) => answeredMs(anExecution({ checkedAt }), NOW, rules);

  test("the time in which Lyceum did not know an execution counts from one answered look-up to the next", () => {
    expect(answered(NOW - 15_000)).toBe(15_000);
  });

  test("the time in which Lyceum did not know an execution does not count after a look-up that was not answered", () => {
    expect(answered(null)).toBe(0);
  });

  test("the time in which Lyceum did not know an execution counts all of a search that took several looks", () => {
    expect(answeredMs(anExecution({ checkedAt: NOW - 200_000 }), NOW, rules, 180_000)).toBe(200_000);
    expect(answeredMs(anExecution({ checkedAt: NOW - 900_000 }), NOW, rules, 180_000)).toBe(210_000);
    expect(answeredMs(anExecution({ checkedAt: null }), NOW, rules, 180_000)).toBe(0);
  });

  test("the time in which Lyceum did not know an execution counts no more than two intervals, however long the service was down", () => {
    expect(answered(NOW - 86_400_000)).toBe(30_000);
  });

  test("the time in which Lyceum did not know an execution never counts backwards when the clock is set back", () => {
    expect(answered(NOW + 3_600_000)).toBe(0);
  });
});
