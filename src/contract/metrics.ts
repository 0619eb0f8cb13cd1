// Summary of a run's metrics.
import { z } from "zod";
import { seriesNames } from "../domain/metrics.ts";
import { count, eachOf } from "./field.ts";

export const series = z
  .object({
    mean: z.number().describe("Mean over time."),
    max: z.number(),
    p95: z.number().describe("Value not exceeded in 95 % of the time."),
    samples: count.describe("Number of readable samples."),
  })
  .meta({ id: "SeriesSummary", examples: [{ mean: 71.2, max: 99, p95: 97, samples: 48 }] });

/** Series without samples are null. */
export const summaryExample = {
  series: {
    ...Object.fromEntries(Object.values(seriesNames).map((name) => [name, null])),
    gpu_utilization_percent: { mean: 71.2, max: 99, p95: 97, samples: 48 },
  },
  energy_wh: 3.1,
  gpu_idle_share: 0.04,
};

export const energyWh = z.number().min(0).describe("Watt-hours of the GPU while it was measured.");
export const idleShare = z
  .number()
  .min(0)
  .max(1)
  .describe("Share of the measured time with GPU utilization below 5 %; null where too little was measured.");

export const metricsSummary = z
  .object({
    series: eachOf(Object.values(seriesNames), series.nullable()).describe(
      "Names carry units; null without readable samples.",
    ),
    energy_wh: energyWh.nullable(),
    gpu_idle_share: idleShare.nullable(),
  })
  .meta({ id: "MetricsSummary" });
