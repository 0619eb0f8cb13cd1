// The stored form of timing and metrics: Lyceum's documented form, with ISO times in UTC.
import type { MetricsAnswer, TimingAnswer } from "../../lyceum/answer.ts";

export function timingDocument({ startTime, endTime, durations, phases }: TimingAnswer) {
  const times = Object.entries(phases).map(([name, { startTime, endTime, duration }]) => {
    return [name, { start_time: iso(startTime), end_time: iso(endTime), duration }] as const;
  });
  return {
    timing: {
      ...(startTime === null ? {} : { start_time: iso(startTime) }),
      ...(endTime === null ? {} : { end_time: iso(endTime) }),
      ...durations,
      ...(times.length > 0 ? { phases: Object.fromEntries(times) } : {}),
    },
  };
}

export function metricsDocument(
  executionId: string,
  { hostname, startTime, endTime, series }: MetricsAnswer,
) {
  const samples = Object.entries(series).map(([name, values]) => {
    return [name, values.map(({ at, value }) => ({ timestamp: iso(at), value }))] as const;
  });
  const timeRange = { start: iso(startTime), end: iso(endTime) };
  return { executionId, hostname, timeRange, ...Object.fromEntries(samples) };
}

function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
