import { expect, test } from "vitest";
import { remembered } from "../../src/lib/remembered.ts";

test("callers share a reading until it is old or the clock is set back, and a failed one is not kept", async () => {
  let now = 100_000;
  const readings = [() => 1, () => 2, () => Promise.reject(new Error("away")), () => 3];
  const read = remembered(
    async () => readings.shift()?.(),
    () => now,
    5_000,
  );
  expect(await Promise.all([read(), read()])).toEqual([1, 1]);
  now += 4_999;
  expect(await read()).toBe(1);
  now += 1;
  expect(await read()).toBe(2);
  now -= 60_000;
  await expect(read()).rejects.toThrow("away");
  expect(await read()).toBe(3);
});
