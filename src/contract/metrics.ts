// What Lyceum measured of a run, summarized.
import { z } from "zod";
import { seriesNames } from "../domain/metrics.ts";
import { count, eachOf } from "./field.ts";

export const series = z
  .object({
    mean: z.number().describe("Over time."),
    max: z.number(),
    p95: z.number().describe("What it did not exceed in 95 % of the time."),
    samples: count.describe("Instants with a readable value."),
  })
  .meta({ id: "SeriesSummary", examples: [{ mean: 71.2, max: 99, p95: 97, samples: 48 }] });

/** What was not sampled is null. */
export const summaryExample = {
  series: {
    ...Object.fromEntries(Object.values(seriesNames).map((name) => [name, null])),
    gpu_utilization_percent: { mean: 71.2, max: 99, p95: 97, samples: 48 },
  },
  energy_wh: 3.1,
  gpu_idle_share: 0.04,
};

export const energyWh = z.number().min(0).describe("Watt-hours that the GPU drew while it was watched.");
export const idleShare = z
  .number()
  .min(0)
  .max(1)
  .describe("Share of the watched time with a GPU utilization below 5 %.");

export const metricsSummary = z
  .object({
    series: eachOf(Object.values(seriesNames), series.nullable()).describe(
      "Units stand in the names; null where Lyceum has no readable sample.",
    ),
    energy_wh: energyWh.nullable(),
    gpu_idle_share: idleShare.nullable(),
  })
  .meta({ id: "MetricsSummary" });
