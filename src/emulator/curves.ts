// `GET /execution/{id}/metrics`: plausible curves, computed from the run's times.
import { draw } from "./chaos.ts";
import { gpuOf } from "./hardware.ts";
import { zuluTime } from "./records.ts";

interface Span {
  executionId: string;
  number: number;
  hardwareProfile: string;
  /** Undefined before a host is assigned, when every series is empty. */
  startedAt: number | undefined;
  fromAt: number;
  toAt: number;
  stepMs: number;
}

const pointsAtMost = 5000;
const ramBytes = 64 * 1024 ** 3;

/** Every documented series; those of the GPU are empty for CPU profiles (undocumented, presumed). */
export function metricsOf(span: Span): Record<string, unknown> {
  const { startedAt, number, hardwareProfile } = span;
  const begin = startedAt ?? span.fromAt;
  const moments = startedAt === undefined ? [] : momentsOf({ ...span, fromAt: Math.max(span.fromAt, begin) });
  const gpu = gpuOf(hardwareProfile);
  const noise = (name: string, at: number) => draw(number, name, at - begin) - 0.5;
  const warm = (at: number, ms: number) => 1 - Math.exp(-(at - begin) / ms);
  const load = (at: number) => Math.min(1, Math.max(0, 0.88 * warm(at, 4000) + 0.12 * noise("load", at)));
  const series = (value: (at: number) => number) =>
    moments.map((at) => ({ timestamp: zuluTime(at), value: Number(value(at).toFixed(2)) }));
  const gpuSeries = (value: (at: number, gpu: NonNullable<ReturnType<typeof gpuOf>>) => number) =>
    gpu === undefined ? [] : series((at) => value(at, gpu));

  return {
    executionId: span.executionId,
    hostname: startedAt === undefined ? "" : hostOf(number),
    timeRange: { start: zuluTime(span.fromAt), end: zuluTime(span.toAt) },
    gpuUtilizationPercent: gpuSeries((at) => 100 * load(at)),
    gpuMemoryUtilizationPercent: gpuSeries((at) => 62 * warm(at, 2500) + 2 * noise("memory", at)),
    gpuTemperatureCelsius: gpuSeries((at) => 34 + 33 * warm(at, 45_000) + noise("heat", at)),
    gpuPowerWatt: gpuSeries((at, { powerLimitWatt }) => powerLimitWatt * (0.15 + 0.75 * load(at))),
    gpuPowerLimitWatt: gpuSeries((_, { powerLimitWatt }) => powerLimitWatt),
    gpuClockSmMhz: gpuSeries((at, { clockSmMhz }) => clockSmMhz * (load(at) > 0.1 ? 1 : 0.2)),
    gpuClockMemMhz: gpuSeries((_, { clockMemMhz }) => clockMemMhz),
    gpuPcieThroughputRxBytesPerSec: gpuSeries((at) => 2.1e9 * load(at)),
    gpuPcieThroughputTxBytesPerSec: gpuSeries((at) => 0.6e9 * load(at)),
    systemRamTotalBytes: series(() => ramBytes),
    systemRamUsedBytes: series((at) => Math.round(ramBytes * (0.05 + 0.2 * warm(at, 6000)))),
    systemCpuUsagePercent: series((at) => (gpu ? 18 : 91) * warm(at, 1500) + 6 * (0.5 + noise("cpu", at))),
  };
}

export function hostOf(number: number): string {
  return `emulator-node-${(number % 7) + 1}`;
}

/** At least one sample, also for a run shorter than a step. */
function momentsOf({ fromAt, toAt, stepMs }: Span): number[] {
  const count = Math.min(pointsAtMost, Math.floor(Math.max(0, toAt - fromAt) / stepMs) + 1);
  return Array.from({ length: count }, (_, index) => fromAt + index * stepMs);
}
