// The cost of an execution, and the movement of its sums.
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  dayOf,
  difference,
  estimatedCost,
  isCost,
  type Priced,
  sumOf,
  type Tally,
  tallyOf,
} from "../../src/domain/cost.ts";

test("an estimate is the price of an hour times the hours", () => {
  expect(estimatedCost({ startedAt: 0, endedAt: 1_800_000 }, 3)).toBe(1.5);
  expect(estimatedCost({ startedAt: 5, endedAt: 5 }, 3)).toBe(0);
  expect(estimatedCost({ startedAt: 10, endedAt: 5 }, 3)).toBe(0);
});

test("without a price or without times there is no estimate", () => {
  expect(estimatedCost({ startedAt: 0, endedAt: 1 }, null)).toBeNull();
  expect(estimatedCost({ startedAt: null, endedAt: 1 }, 1)).toBeNull();
  expect(estimatedCost({ startedAt: 1, endedAt: null }, 1)).toBeNull();
  expect(estimatedCost({ startedAt: 0, endedAt: 3_600_000 }, 1e9)).toBeNull();
});

test("a negative, an infinite and an absurd number are no cost", () => {
  expect([0, 0.0001, 1_000_000].every(isCost)).toBe(true);
  expect([null, undefined, -0.1, Number.NaN, Number.POSITIVE_INFINITY, 1e300].some(isCost)).toBe(false);
});

test("a sum counts as billed only if all its parts are billed", () => {
  const billed = { cost: 0.1, source: "billed" } as const;
  const estimated = { cost: 0.2, source: "estimated" } as const;
  const unknown = { cost: null, source: null };
  expect(sumOf([])).toEqual(unknown);
  expect(sumOf([unknown])).toEqual(unknown);
  expect(sumOf([billed, billed, unknown])).toEqual({ cost: 0.2, source: "billed" });
  expect(sumOf([billed, estimated])).toEqual({ cost: 0.3, source: "estimated" });
});

test("an end counts to its day in UTC", () => {
  expect(dayOf(Date.parse("2026-11-21T23:59:59.999Z"))).toBe("2026-11-21");
  expect(dayOf(Date.parse("2026-11-22T00:00:00.000Z"))).toBe("2026-11-22");
});

const priced: fc.Arbitrary<Priced> = fc
  .record({
    detectedAt: fc.option(fc.nat()),
    startedAt: fc.option(fc.nat()),
    endedAt: fc.option(fc.nat()),
    bill: fc.option(
      fc.record({
        cost: fc.double({ min: 0, max: 1_000, noNaN: true }),
        costSource: fc.constantFrom("billed" as const, "estimated" as const),
      }),
    ),
  })
  .map(({ bill, ...rest }) => ({ ...rest, cost: bill?.cost ?? null, costSource: bill?.costSource ?? null }));

test("totals updated by differences equal a recount, to the last billionth", () => {
  fc.assert(
    fc.property(fc.array(fc.array(priced, { maxLength: 6 }), { maxLength: 12 }), (histories) => {
      const moved = tallyOf(null);
      const add = (to: Tally, by: Tally) => {
        for (const name of Object.keys(to) as (keyof Tally)[]) to[name] += by[name];
      };
      const total = { ...moved };
      for (const history of histories) {
        let before: Priced | null = null;
        for (const after of history) {
          const change = difference(tallyOf(before), tallyOf(after));
          if (change !== null) add(total, change);
          before = after;
        }
      }
      const counted = { ...tallyOf(null) };
      for (const history of histories) add(counted, tallyOf(history.at(-1) ?? null));
      expect(total).toEqual(counted);
    }),
  );
});
