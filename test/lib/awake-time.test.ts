// Time awake grows with the clock, except over gaps in which nobody asked for it.
import { expect, test } from "vitest";
import { createAwakeTime } from "../../src/lib/awake-time.ts";

test("a standstill of the process is no time awake", () => {
  let now = 1_000;
  const awakeMs = createAwakeTime(() => now);
  const after = (ms: number) => {
    now += ms;
    return awakeMs();
  };
  expect([after(0), after(30_000), after(5_000)]).toEqual([0, 30_000, 35_000]);
  expect(after(300_000)).toBe(35_000);
  expect(after(1_000)).toBe(36_000);
});
