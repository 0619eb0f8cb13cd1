// The stored form of a metrics summary tells everything, in a few bytes.
import { expect, test } from "vitest";
import { summarizeMetrics } from "../../src/domain/metrics.ts";
import { packSummary, unpackSummary } from "../../src/store/metrics-summary.ts";

const samples = [1, 2.5, 4].map((value, index) => ({ at: index * 15_000, value }));

test.each([
  ["no series", {}],
  ["one series", { systemCpuUsagePercent: samples }],
  ["a GPU", { gpuUtilizationPercent: samples, gpuPowerWatt: samples, systemRamUsedBytes: samples }],
])("a summary of %s reads back field by field", (_, series) => {
  const summary = summarizeMetrics(series);
  expect(JSON.stringify(unpackSummary(packSummary(summary)))).toBe(JSON.stringify(summary));
});

// Never change this: databases are full of it. Series that came later were not measured then.
test("a summary that was stored before is read", () => {
  const summary = unpackSummary("[1.5,0.25,[50,90,80,4],null,null,[300,310,305,3]]");
  expect(summary).toMatchObject({ energy_wh: 1.5, gpu_idle_share: 0.25 });
  expect(Object.entries(summary.series).filter(([, values]) => values !== null)).toEqual([
    ["gpu_utilization_percent", { mean: 50, max: 90, p95: 80, samples: 4 }],
    ["gpu_power_watt", { mean: 300, max: 310, p95: 305, samples: 3 }],
  ]);
  expect(summary.series.system_cpu_usage_percent).toBeNull();
});
