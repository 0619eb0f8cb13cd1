// The soak in short, and what it would say of a process that grows.
import { expect, test } from "vitest";
import { growthOf } from "./memory.ts";
import { soak } from "./trial.ts";

const MIB = 1024 * 1024;

test("under mixed load with faults nothing is lost and the memory stays flat", {
  timeout: 300_000,
}, async () => {
  const { isGood, report } = await soak({ seed: 1, database: "sqlite", seconds: 15, onSample: () => {} });
  expect(isGood, report).toBe(true);
});

test("a process that grows is told from one that was only cold", () => {
  const cold = Array.from({ length: 100 }, (_, at) => Math.min(100, 60 + at) * MIB);
  const leaking = Array.from({ length: 100 }, (_, at) => (100 + at) * MIB);
  expect(growthOf(cold).isFlat).toBe(true);
  expect(growthOf(leaking).isFlat).toBe(false);
});
