// Summaries of a run's hardware use, from Lyceum's series of samples.

/**
 * Lyceum's series (reference of GET /execution/{id}/metrics) and the names of their summaries. Stored summaries have this
 * order, so a new series comes last.
 */
export const seriesNames = {
  gpuUtilizationPercent: "gpu_utilization_percent",
  gpuMemoryUtilizationPercent: "gpu_memory_utilization_percent",
  gpuTemperatureCelsius: "gpu_temperature_celsius",
  gpuPowerWatt: "gpu_power_watt",
  gpuPowerLimitWatt: "gpu_power_limit_watt",
  gpuClockSmMhz: "gpu_clock_sm_mhz",
  gpuClockMemMhz: "gpu_clock_mem_mhz",
  gpuPcieThroughputRxBytesPerSec: "gpu_pcie_throughput_rx_bytes_per_sec",
  gpuPcieThroughputTxBytesPerSec: "gpu_pcie_throughput_tx_bytes_per_sec",
  systemRamTotalBytes: "system_ram_total_bytes",
  systemRamUsedBytes: "system_ram_used_bytes",
  systemCpuUsagePercent: "system_cpu_usage_percent",
} as const;

export interface Sample {
  at: number;
  value: number;
}

export interface SeriesSummary {
  mean: number;
  max: number;
  p95: number;
  samples: number;
}

export interface MetricsSummary {
  /** Null for a series without samples. */
  series: Record<(typeof seriesNames)[keyof typeof seriesNames], SeriesSummary | null>;
  /** Wh that the GPU used during the sampled time; null with fewer than two samples of its power. */
  energy_wh: number | null;
  /** Share (0 to 1) of the sampled time with a GPU utilization below 5 %; null without samples. */
  gpu_idle_share: number | null;
}

export type LiveMetrics =
  | { type: "measured"; document: object; summary: MetricsSummary }
  /** Asking again is pointless. */
  | { type: "none"; detail: string }
  /** Lyceum is unavailable now. */
  | { type: "away"; detail: string; retryAfterMs: number };

export interface MetricsSpan {
  /** The distance of samples, such as `5s`, `15s` or `1m`. */
  step: string;
  start: string;
  end: string;
}

/** A longer gap between samples, in steps, counts as not sampled. */
const maxBridgedSteps = 3;
const idleBelowPercent = 5;
const msPerHour = 3_600_000;

/**
 * Summarizes samples in any order. Mean, p95 and idle share are weighted by time: a sample counts up to the next
 * sample, and for one step (the median distance) at the end and before a gap. Energy is the area under the power by
 * trapezoids, without gaps. Values of one instant are averaged: Lyceum does not document how it tells several GPUs
 * apart.
 * @param given series under Lyceum's names; unknown series are ignored
 */
export function summarizeMetrics(given: Readonly<Record<string, readonly Sample[]>>): MetricsSummary {
  const read = (name: string) => watch(byInstant(given[name] ?? []));
  const series = Object.fromEntries(
    Object.entries(seriesNames).map(([name, ours]) => [ours, summarize(read(name))]),
  ) as MetricsSummary["series"];
  const energy_wh = energyWh(read("gpuPowerWatt"));
  const gpu_idle_share = shareBelow(idleBelowPercent, read("gpuUtilizationPercent"));
  return { series, energy_wh, gpu_idle_share };
}

/** Each series with samples reaches the last step, and a GPU run has its utilization. */
export function reachesEnd(
  given: Readonly<Record<string, readonly Sample[]>>,
  { endedAt, hardware }: { endedAt: number | null; hardware: string | null },
  stepMs: number,
): boolean {
  const isGpu = hardware?.toLowerCase().startsWith("gpu") === true;
  if (isGpu && (given.gpuUtilizationPercent ?? []).length === 0) return false;
  if (endedAt === null) return true;
  const lasts = Object.values(given).flatMap((samples) => newest(samples) ?? []);
  return lasts.every((last) => last >= endedAt - stepMs);
}

function newest(samples: readonly Sample[]): number | null {
  return samples.reduce<number | null>((last, { at }) => Math.max(last ?? at, at), null);
}

interface Watched extends Sample {
  /** The time that the sample counts for. */
  forMs: number;
  /** False at the end and before a gap. */
  untilNext: boolean;
}

function byInstant(samples: readonly Sample[]): Sample[] {
  return [...Map.groupBy(samples, ({ at }) => at)]
    .map(([at, same]) => ({ at, value: average(same.map(({ value }) => value)) }))
    .sort((a, b) => a.at - b.at);
}

function watch(samples: Sample[]): Watched[] {
  if (samples.length === 0) return [];
  const gaps = samples.slice(1).map(({ at }, index) => at - (samples[index] as Sample).at);
  // A single sample counts for any time.
  const stepMs = gaps.toSorted((a, b) => a - b)[Math.floor((gaps.length - 1) / 2)] ?? 1;
  return samples.map((sample, index) => {
    const gapMs = gaps[index] ?? Number.POSITIVE_INFINITY;
    const untilNext = gapMs <= stepMs * maxBridgedSteps;
    return { ...sample, forMs: untilNext ? gapMs : stepMs, untilNext };
  });
}

function summarize(samples: Watched[]): SeriesSummary | null {
  const sorted = samples.toSorted((a, b) => a.value - b.value);
  const [lowest, highest] = [sorted.at(0), sorted.at(-1)];
  if (!lowest || !highest) return null;
  const totalMs = sum(samples.map(({ forMs }) => forMs));
  const mean = sum(samples.map(({ value, forMs }) => value * (forMs / totalMs)));
  let passedMs = 0;
  const p95 =
    sorted.find(({ forMs }) => {
      passedMs += forMs;
      return passedMs >= totalMs * 0.95;
    }) ?? highest;
  // Rounding must not move the mean of equal values beyond them.
  const bounded = Math.min(Math.max(mean, lowest.value), highest.value);
  return { mean: bounded, max: highest.value, p95: p95.value, samples: samples.length };
}

function energyWh(samples: Watched[]): number | null {
  if (samples.length < 2) return null;
  // A negative power is a sensor fault.
  const watt = samples.map(({ value }) => Math.max(0, value));
  const wattMs = samples.map(({ forMs, untilNext }, index) =>
    untilNext ? ((watt[index] as number) + (watt[index + 1] as number)) * (forMs / 2) : 0,
  );
  return sum(wattMs) / msPerHour;
}

function shareBelow(limit: number, samples: Watched[]): number | null {
  if (samples.length === 0) return null;
  const idle = samples.filter(({ value }) => value < limit);
  return sum(idle.map(({ forMs }) => forMs)) / sum(samples.map(({ forMs }) => forMs));
}

/** Adds in ascending order, so that the order of arrival does not change the last digit. */
function average(values: number[]): number {
  return sum(values.toSorted((a, b) => a - b)) / values.length;
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
