// A GPU selection: the same code on several kinds of hardware, compared by duration and cost.
import type { CostSource } from "./cost.ts";

export interface SubJob {
  lyceum_execution_id: string;
  hardware: string | null;
  status: string | null;
  duration_ms: number | null;
  cost: number | null;
  cost_source: CostSource | null;
}

/** Stored with a record beside its document. */
export interface RecordSummary {
  gpu_selection?: SubJob[];
  /** The record shows the whole output, so that the log can be compared with it. */
  tells_output?: boolean;
  /** The record shows a part of the output, and the log must have these lines. */
  shows_output?: boolean;
  /** Something was printed. */
  has_output?: boolean;
  /** The record has no bill yet and is read once more for it. */
  awaits_bill?: boolean;
}

/** Keeps an older value if the newer is missing, and a billed cost if the newer is an estimate. */
export function mergeSubJobs(before: readonly SubJob[], now: readonly SubJob[]): SubJob[] {
  const newer = new Map(now.map((subJob) => [subJob.lyceum_execution_id, subJob]));
  const merged = before.map((old) => {
    const subJob = newer.get(old.lyceum_execution_id);
    newer.delete(old.lyceum_execution_id);
    return subJob === undefined ? old : mergeSubJob(old, subJob);
  });
  return [...merged, ...newer.values()];
}

function mergeSubJob(before: SubJob, now: SubJob): SubJob {
  const isKept = now.cost === null || (before.cost_source === "billed" && now.cost_source === "estimated");
  return {
    ...now,
    hardware: now.hardware ?? before.hardware,
    status: now.status ?? before.status,
    duration_ms: now.duration_ms ?? before.duration_ms,
    ...(isKept ? { cost: before.cost, cost_source: before.cost_source } : {}),
  };
}

export type Compared = SubJob & { fastest: boolean; cheapest: boolean };

/** Fastest first. Sub-jobs that did not complete come last and are neither fastest nor cheapest. */
export function compare(subJobs: SubJob[]): Compared[] {
  const finished = subJobs.filter(isFinished);
  const minimum = (of: (subJob: SubJob) => number | null) =>
    Math.min(...finished.flatMap((subJob) => of(subJob) ?? []));
  const minMs = minimum(({ duration_ms }) => duration_ms);
  const minCost = minimum(({ cost }) => cost);
  return subJobs
    .map((subJob) => ({
      ...subJob,
      fastest: isFinished(subJob) && subJob.duration_ms === minMs,
      cheapest: isFinished(subJob) && subJob.cost === minCost,
    }))
    .sort((a, b) => Number(isFinished(b)) - Number(isFinished(a)) || rank(a) - rank(b));
}

function isFinished({ status }: SubJob): boolean {
  return status === "completed";
}

function rank({ duration_ms }: SubJob): number {
  return duration_ms ?? Number.MAX_SAFE_INTEGER;
}
