// What the service answers about jobs, runs, executions and events. Times are ISO 8601 in UTC.

export type JobStatus = "queued" | "active" | "succeeded" | "failed" | "cancelled";
export type RunStatus = "queued" | "active" | "collecting" | "succeeded" | "failed" | "cancelled";
export type Outcome = "succeeded" | "failed" | "cancelled";
export type RunKind = "python" | "image" | "compose" | "gpu_selection";
export type CostSource = "billed" | "estimated";
/** Lyceum's words, and `submitting`, `rejected` and `lost`, which are Proctor's. */
export type ExecutionStatus =
  | "submitting"
  | "pending"
  | "starting"
  | "running"
  | "completed"
  | "failed"
  | "system_failure"
  | "cancelled"
  | "aborted"
  | "rejected"
  | "lost";

/** The likely cause of a failure. */
export type FailureReason =
  | "timeout"
  | "out_of_memory"
  | "disk_full"
  | "image_not_found"
  | "module_not_found"
  | "quota"
  | "capacity"
  | "nccl"
  | "killed_by_signal";

export interface Cancellation {
  mode: "abort" | "stop";
  cause: "request" | "deadline" | "run_failure" | "expired";
}

/** Credits. */
export interface Cost {
  total: number;
  billed: number;
  estimated: number;
  /** Ended executions of which nobody knows the cost. */
  unpriced: number;
}

export interface Job {
  id: string;
  name: string | null;
  status: JobStatus;
  /** Runs by status. */
  counts: Record<RunStatus, number>;
  /** Share of the runs that have ended, 0 to 1. */
  progress: number;
  priority: number;
  max_parallel: number | null;
  on_run_failure: "continue" | "cancel_rest";
  on_lost: "fail" | "retry";
  retry: { max_attempts: number; on: string[] };
  metadata: unknown;
  webhook_url: string | null;
  cancellation: Cancellation | null;
  cost: Cost;
  budget: { limit: number; spent: number; reached: boolean } | null;
  deadline_at: string | null;
  created_at: string | null;
  started_at: string | null;
  /** Not null exactly when the job is terminal. */
  ended_at: string | null;
  deletion_requested_at: string | null;
  /** Where a queued job stands; only where a single job is asked for. */
  queue?: { position: number; estimated_start_at: string | null } | null;
}

export interface Execution {
  id: string;
  run_id: string;
  job_id: string;
  attempt: number;
  status: ExecutionStatus;
  raw_status: string | null;
  in_doubt: boolean;
  lyceum_execution_id: string | null;
  detected_by: "callback" | "poll" | null;
  return_code: number | null;
  duration_ms: number | null;
  cost: number | null;
  cost_source: CostSource | null;
  hardware: string | null;
  error: string | null;
  submitted_at: string;
  accepted_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  detected_at: string | null;
  next_check_at: string | null;
}

export interface SeriesSummary {
  mean: number;
  max: number;
  p95: number;
  samples: number;
}

export interface Run {
  id: string;
  job_id: string;
  position: number;
  name: string | null;
  kind: RunKind;
  status: RunStatus;
  /** Null while the run is queued or active. Never changes afterwards; artifacts may still follow. */
  outcome: Outcome | null;
  attempts: number;
  execution_type: string | null;
  timeout: number;
  matrix: Record<string, string> | null;
  retry_of: string | null;
  cancellation: Cancellation | null;
  error: { code: string; detail: string | null; reason: FailureReason | null } | null;
  created_at: string | null;
  started_at: string | null;
  ended_at: string | null;
  not_before: string | null;
  lyceum_execution_id: string | null;
  detected_by: "callback" | "poll" | null;
  return_code: number | null;
  duration_ms: number | null;
  cost: number | null;
  cost_source: CostSource | null;
  hardware: string | null;
  gpu: {
    hardware: string | null;
    utilization_percent: SeriesSummary | null;
    memory_utilization_percent: SeriesSummary | null;
    energy_wh: number | null;
    idle_share: number;
  } | null;
  findings: { code: string; detail: string; cost: number | null }[];
  gpu_selection:
    | {
        lyceum_execution_id: string;
        hardware: string | null;
        status: string | null;
        duration_ms: number | null;
        cost: number | null;
        cost_source: CostSource | null;
        fastest: boolean;
        cheapest: boolean;
      }[]
    | null;
  /** By kind: record, timing, logs, metrics. */
  artifacts: Record<string, { state: string; reason: string | null; fetched_at: string | null }>;
  executions: Execution[];
}

export interface ResultRow {
  run_id: string;
  position: number;
  name: string | null;
  matrix: Record<string, string> | null;
  status: RunStatus;
  attempts: number;
  return_code: number | null;
  duration_ms: number | null;
  cost: number | null;
  cost_source: CostSource | null;
  hardware: string | null;
  gpu_utilization_percent: number | null;
  gpu_idle_share: number | null;
  energy_wh: number | null;
  error_code: string | null;
  error_reason: FailureReason | null;
  retry_of: string | null;
  outcome: Outcome | null;
}

/** An immutable, numbered fact about a job, a run or an execution. */
export interface ProctorEvent {
  id: string;
  seq: number;
  type: string;
  created_at: string;
  job_id: string;
  run_id?: string | undefined;
  execution_id?: string | undefined;
  data: Record<string, unknown>;
}
