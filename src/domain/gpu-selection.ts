// A GPU selection: the same code on several kinds of hardware, compared by what it took and what it cost.
import type { CostSource } from "./cost.ts";

/** One sub-job as it is kept: nothing else of its record is. */
export interface SubJob {
  lyceum_execution_id: string;
  hardware: string | null;
  status: string | null;
  duration_ms: number | null;
  cost: number | null;
  cost_source: CostSource | null;
}

/** What is kept of a record beside its document. */
export interface RecordSummary {
  gpu_selection?: SubJob[];
  /** It tells all that was printed: the log can be judged by it. */
  tells_output?: boolean;
  /** The log must have every line that the record shows, even if the record shows only a part. */
  shows_output?: boolean;
  /** Something was printed. */
  has_output?: boolean;
  /** The record names no bill yet: read the record once more for the bill. */
  awaits_bill?: boolean;
}

/** Keeps an older value where the newer is missing, and a billed cost where the newer is an estimate. */
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

/** Fastest first; what did not complete stands last and wins nothing. */
export function compare(subJobs: SubJob[]): Compared[] {
  const finished = subJobs.filter(isFinished);
  const least = (of: (subJob: SubJob) => number | null) =>
    Math.min(...finished.flatMap((subJob) => of(subJob) ?? []));
  const leastMs = least(({ duration_ms }) => duration_ms);
  const leastCost = least(({ cost }) => cost);
  return subJobs
    .map((subJob) => ({
      ...subJob,
      fastest: isFinished(subJob) && subJob.duration_ms === leastMs,
      cheapest: isFinished(subJob) && subJob.cost === leastCost,
    }))
    .sort((a, b) => Number(isFinished(b)) - Number(isFinished(a)) || rank(a) - rank(b));
}

function isFinished({ status }: SubJob): boolean {
  return status === "completed";
}

function rank({ duration_ms }: SubJob): number {
  return duration_ms ?? Number.MAX_SAFE_INTEGER;
}
