// Percentiles out of buckets that grow with the delay.
import fc from "fast-check";
import { expect, test } from "vitest";
import { bucketOf, percentile } from "../../src/domain/delay-histogram.ts";

test("a percentile is off by 5 % of the true delay at most, however the delays lie", () => {
  const delays = fc.array(fc.integer({ min: 2, max: 600_000_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(delays, fc.constantFrom(0.5, 0.95, 0.99), (all, share) => {
      const buckets = new Map<number, number>();
      for (const delay of all) buckets.set(bucketOf(delay), (buckets.get(bucketOf(delay)) ?? 0) + 1);
      const sorted = all.toSorted((a, b) => a - b);
      const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
      const found = percentile(buckets, share) ?? 0;
      expect(Math.abs(found - exact)).toBeLessThanOrEqual(exact * 0.05 + 1);
    }),
  );
});

test("there are few buckets, whatever the delay", () => {
  expect(bucketOf(0)).toBe(0);
  expect(bucketOf(Number.MAX_SAFE_INTEGER)).toBe(240);
  expect(percentile(new Map(), 0.5)).toBeNull();
});
