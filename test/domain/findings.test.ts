// The finding on a GPU that was paid for and not used.
import { expect, test } from "vitest";
import { findingsOf } from "../../src/domain/findings.ts";
import { summarizeMetrics } from "../../src/domain/metrics.ts";

const summary = (values: number[]) =>
  summarizeMetrics({
    gpuUtilizationPercent: values.map((value, index) => ({
      at: index * 15_000,
      value,
    })),
  });
const found = (values: number[], cost: number | null = 0.25) =>
  findingsOf({ summary: summary(values), hardware: "gpu.a100", cost });

test("a GPU that was idle for more than half of the time is reported with its cost", () => {
  expect(found([0, 90, 0, 0, 1])).toEqual([
    {
      code: "gpu_idle",
      detail:
        "the GPU (gpu.a100) was idle for 80 % of the time it was watched (mean use 18.2 %); it cost 0.25 credits",
      cost: 0.25,
    },
  ]);
});

test("a GPU with a low average utilization is reported", () => {
  expect(found([4.9, 4.9, 4.9])).toHaveLength(1);
  expect(found([5, 5, 4, 4.5])).toHaveLength(1);
});

test("a GPU with high utilization is not reported", () => {
  expect(found([0, 80, 90, 85])).toEqual([]);
  expect(found([5, 5, 5])).toEqual([]);
});

test("there is no finding without metrics, without a GPU and after a single sample", () => {
  expect(findingsOf({ summary: null, hardware: "cpu", cost: 1 })).toEqual([]);
  expect(found([])).toEqual([]);
  expect(found([0])).toEqual([]);
});

test("an unknown cost is called unknown", () => {
  const [finding] = findingsOf({ summary: summary([0, 0]), hardware: null, cost: null });
  expect(finding?.detail).toMatch(/^the GPU was idle .* its cost is not known$/);
});
