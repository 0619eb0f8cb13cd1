// The stored form of a metrics summary: values by place, because the names of its fields would be most of the row.
import { type MetricsSummary, type SeriesSummary, seriesNames } from "../domain/metrics.ts";

type Stored = [
  energyWh: MetricsSummary["energy_wh"],
  gpuIdleShare: MetricsSummary["gpu_idle_share"],
  ...series: ([mean: number, max: number, p95: number, samples: number] | null)[],
];

export function packSummary({ energy_wh, gpu_idle_share, series }: MetricsSummary): string {
  const values = names.map((name) => pack(series[name]));
  return JSON.stringify([energy_wh, gpu_idle_share, ...values] satisfies Stored);
}

export function unpackSummary(packed: string): MetricsSummary {
  const [energy_wh, gpu_idle_share, ...values] = JSON.parse(packed) as Stored;
  const series = names.map((name, place) => [name, unpack(values[place] ?? null)]);
  return { series: Object.fromEntries(series), energy_wh, gpu_idle_share };
}

const names = Object.values(seriesNames);

function pack(series: SeriesSummary | null): Stored[2] {
  return series && [series.mean, series.max, series.p95, series.samples];
}

function unpack(values: Stored[2]): SeriesSummary | null {
  if (!values) return null;
  const [mean, max, p95, samples] = values;
  return { mean, max, p95, samples };
}
