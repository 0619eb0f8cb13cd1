// Noteworthy observations about a run, such as an idle GPU.
import type { MetricsSummary } from "./metrics.ts";

export interface Finding {
  code: "gpu_idle";
  detail: string;
  cost: number | null;
}

export interface Observed {
  summary: MetricsSummary | null;
  hardware: string | null;
  cost: number | null;
}

/** GPUs that were paid for and hardly used: idle for more than half of the time, or on average. */
export function findingsOf({ summary, hardware, cost }: Observed): Finding[] {
  const use = summary?.series.gpu_utilization_percent ?? null;
  const idleShare = idleShareOf(summary);
  if (use === null || idleShare === null) return [];
  if (idleShare <= IDLE_SHARE && use.mean >= IDLE_MEAN_PERCENT) return [];
  const gpu = hardware === null ? "the GPU" : `the GPU (${hardware})`;
  const idle = `${gpu} was idle for ${Math.round(idleShare * 100)} % of the time it was watched`;
  const paid = cost === null ? "its cost is not known" : `it cost ${Number(cost.toPrecision(4))} credits`;
  return [{ code: "gpu_idle", detail: `${idle} (mean use ${use.mean.toFixed(1)} %); ${paid}`, cost }];
}

/** Null where too little was measured: a single sample is taken at the start of the run, when every GPU is idle. */
export function idleShareOf(summary: MetricsSummary | null): number | null {
  const samples = summary?.series.gpu_utilization_percent?.samples ?? 0;
  return samples < 2 ? null : (summary?.gpu_idle_share ?? null);
}

const IDLE_SHARE = 0.5;
const IDLE_MEAN_PERCENT = 5;
