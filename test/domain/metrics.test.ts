import fc from "fast-check";
import { expect, test } from "vitest";
import { type MetricsSummary, type Sample, summarizeMetrics } from "../../src/domain/metrics.ts";

const start = Date.parse("2026-09-01T08:00:00Z");
const stepMs = 15_000;

/** One sample per step. */
function steady(values: number[], firstStep = 0) {
  return values.map((value, index) => ({ at: start + (firstStep + index) * stepMs, value }));
}

function energyOf(gpuPowerWatt: Sample[]): number | null {
  return summarizeMetrics({ gpuPowerWatt }).energy_wh;
}

function utilization(values: number[]): MetricsSummary {
  return summarizeMetrics({ gpuUtilizationPercent: steady(values) });
}

/** Without -0, which adding up turns into 0. */
const anyValue = fc.double({ min: -1e12, max: 1e12, noNaN: true }).map((value) => value + 0);
const anySample = fc.record({
  at: fc.integer({ min: start, max: start + 600_000 }),
  value: anyValue,
});
const anySeries = fc.array(anySample, { minLength: 1, maxLength: 40 });
const anyWatts = fc.array(fc.double({ min: 0, max: 700, noNaN: true }), { minLength: 2, maxLength: 40 });

test("mean and p95 lie between the lowest and the highest value", () => {
  fc.assert(
    fc.property(fc.uniqueArray(anySample, { minLength: 1, selector: ({ at }) => at }), (samples) => {
      const summary = summarizeMetrics({ systemCpuUsagePercent: samples }).series.system_cpu_usage_percent;
      const values = samples.map(({ value }) => value);
      const lowest = Math.min(...values);
      expect(summary?.max).toBe(Math.max(...values));
      expect(summary?.mean).toBeGreaterThanOrEqual(lowest);
      expect(summary?.mean).toBeLessThanOrEqual(summary?.max as number);
      expect(values).toContain(summary?.p95);
      expect(summary?.samples).toBe(samples.length);
    }),
  );
});

test("the order of samples does not matter, duplicates included", () => {
  fc.assert(
    fc.property(
      anySeries.chain((series) =>
        fc.tuple(fc.constant(series), fc.shuffledSubarray(series, { minLength: series.length })),
      ),
      ([series, shuffled]) => {
        const of = (samples: Sample[]) =>
          summarizeMetrics({ gpuPowerWatt: samples, gpuUtilizationPercent: samples });
        expect(of(shuffled)).toEqual(of(series));
      },
    ),
  );
});

test("energy is never negative and never more than the highest power all the time", () => {
  fc.assert(
    fc.property(anySeries, (samples) => {
      const hours = 600_000 / 3_600_000;
      const highest = Math.max(0, ...samples.map(({ value }) => value));
      const energy = energyOf(samples) ?? 0;
      expect(energy).toBeGreaterThanOrEqual(0);
      expect(energy).toBeLessThanOrEqual(highest * hours * (1 + 1e-9));
    }),
  );
});

test("the energy of two halves that share a sample is the energy of the whole", () => {
  fc.assert(
    fc.property(anyWatts, anyWatts, (left, right) => {
      const [first, second] = [
        energyOf(steady(left)),
        energyOf(steady([left.at(-1) as number, ...right], left.length - 1)),
      ];
      expect(energyOf(steady([...left, ...right]))).toBeCloseTo((first as number) + (second as number), 9);
    }),
  );
});

test("the idle share lies between 0 and 1", () => {
  fc.assert(
    fc.property(anySeries, (samples) => {
      const share = summarizeMetrics({ gpuUtilizationPercent: samples }).gpu_idle_share as number;
      expect(share).toBeGreaterThanOrEqual(0);
      expect(share).toBeLessThanOrEqual(1);
    }),
  );
});

test("constant 360 W over ten minutes is 60 Wh", () => {
  expect(energyOf(steady(Array.from({ length: 41 }, () => 360)))).toBeCloseTo(60, 9);
});

test("energy needs two instants", () => {
  expect(summarizeMetrics({}).energy_wh).toBeNull();
  expect(energyOf([])).toBeNull();
  expect(energyOf(steady([300]))).toBeNull();
  expect(energyOf([...steady([300]), ...steady([300])])).toBeNull();
});

test("a gap of three steps is bridged, a longer one left out", () => {
  const [before, hour] = [steady([360, 360, 360]), 3_600_000];
  expect(energyOf([...before, ...steady([360], 5)])).toBeCloseTo((360 * 5 * stepMs) / hour, 9);
  expect(energyOf([...before, ...steady([360, 360], 100)])).toBeCloseTo((360 * 3 * stepMs) / hour, 9);
});

test("a negative power draws nothing", () => {
  expect(energyOf(steady([-5, -5, -5]))).toBe(0);
});

test("the GPU is idle below 5 percent, by time and not by samples", () => {
  expect(utilization([0, 4.9, 5, 80]).gpu_idle_share).toBe(0.5);
  const uneven = [0, 15, 30, 60].map((seconds, index) => ({
    at: start + seconds * 1000,
    value: index === 2 ? 0 : 90,
  }));
  expect(summarizeMetrics({ gpuUtilizationPercent: uneven }).gpu_idle_share).toBeCloseTo(30 / 75, 9);
  expect(summarizeMetrics({}).gpu_idle_share).toBeNull();
});

test("of twenty even samples, p95 is the second highest", () => {
  const summary = utilization(Array.from({ length: 20 }, (_, index) => index)).series.gpu_utilization_percent;
  expect(summary).toEqual({ mean: 9.5, max: 19, p95: 18, samples: 20 });
});

test("a series without a sample is null, and every series that we know has its key", () => {
  const { series } = summarizeMetrics({ gpuPowerWatt: [], somethingNew: steady([1]) });
  expect(Object.keys(series)).toHaveLength(12);
  expect(Object.values(series).every((summary) => summary === null)).toBe(true);
});

test("values of one instant are averaged", () => {
  const samples = [...steady([100, 100]), ...steady([300, 300])];
  expect(summarizeMetrics({ gpuPowerWatt: samples }).series.gpu_power_watt).toMatchObject({
    mean: 200,
    max: 200,
    samples: 2,
  });
});
