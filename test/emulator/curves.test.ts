// Metrics curves: as many points as asked for, plausible, and the same each time.
import { expect, it } from "vitest";
import { metricsOf } from "../../src/emulator/curves.ts";

type Series = { timestamp: string; value: number }[];

const startedAt = Date.parse("2026-09-01T08:00:00Z");
const span = {
  executionId: "one",
  number: 1,
  hardwareProfile: "gpu.a100",
  startedAt,
  fromAt: startedAt,
  toAt: startedAt + 60_000,
  stepMs: 15_000,
};
const series = (document: Record<string, unknown>, name: string) => document[name] as Series;

it("a minute in steps of 15 seconds has five points from the start to the end", () => {
  const points = series(metricsOf(span), "gpuUtilizationPercent");
  expect(points.map(({ timestamp }) => timestamp.slice(17, 19))).toEqual(["00", "15", "30", "45", "00"]);
});

it("a GPU warms up, gets busy and stays within its limits", () => {
  const document = metricsOf(span);
  const heat = series(document, "gpuTemperatureCelsius").map(({ value }) => value);
  expect(heat.at(-1)).toBeGreaterThan((heat[0] ?? 0) + 15);
  for (const { value } of series(document, "gpuPowerWatt")) expect(value).toBeLessThanOrEqual(400);
  const load = series(document, "gpuUtilizationPercent").map(({ value }) => value);
  expect(Math.min(...load)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...load)).toBeLessThanOrEqual(100);
  expect(load.at(-1)).toBeGreaterThan(70);
});

it("the same run has the same curves, another run has others", () => {
  expect(metricsOf(span)).toEqual(metricsOf(span));
  expect(metricsOf({ ...span, number: 2 }).gpuPowerWatt).not.toEqual(metricsOf(span).gpuPowerWatt);
});

it("every series is empty until a host is assigned", () => {
  const { hostname, systemCpuUsagePercent } = metricsOf({ ...span, startedAt: undefined });
  expect({ hostname, systemCpuUsagePercent }).toEqual({ hostname: "", systemCpuUsagePercent: [] });
});
