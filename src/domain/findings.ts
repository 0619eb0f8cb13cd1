// What is worth telling about a run that nobody asked about.
import type { MetricsSummary } from "./metrics.ts";

export interface Finding {
  code: "gpu_idle";
  detail: string;
  /** Credits of the execution that it is about; null when not known. */
  cost: number | null;
}

export interface Observed {
  summary: MetricsSummary | null;
  hardware: string | null;
  cost: number | null;
}

/** A GPU that was paid for and hardly used: idle for more than half of the time, or on the whole. */
export function findingsOf({ summary, hardware, cost }: Observed): Finding[] {
  const use = summary?.series.gpu_utilization_percent ?? null;
  const idleShare = summary?.gpu_idle_share ?? null;
  // One sample is taken as the run begins, when every GPU is idle.
  if (use === null || idleShare === null || use.samples < 2) return [];
  if (idleShare <= IDLE_SHARE && use.mean >= IDLE_MEAN_PERCENT) return [];
  const gpu = hardware === null ? "the GPU" : `the GPU (${hardware})`;
  const idle = `${gpu} was idle for ${Math.round(idleShare * 100)} % of the time it was watched`;
  const paid = cost === null ? "what it cost is not known" : `it cost ${Number(cost.toPrecision(4))} credits`;
  return [{ code: "gpu_idle", detail: `${idle} (mean use ${use.mean.toFixed(1)} %); ${paid}`, cost }];
}

const IDLE_SHARE = 0.5;
const IDLE_MEAN_PERCENT = 5;
