// The tables as TypeScript sees them. Times are milliseconds since the epoch; truth values are 0 or 1.
import type { DetectedBy, ExecutionStatus, Phase } from "../domain/execution.ts";
import type { JobStatus } from "../domain/job.ts";
import type { CancelCause, CancelMode, RunStatus } from "../domain/run.ts";
import type { RunKind } from "../domain/spec.ts";

export interface Schema {
  api_keys: ApiKeysTable;
  jobs: JobsTable;
  idempotency_keys: IdempotencyKeysTable;
  runs: RunsTable;
  specs: SpecsTable;
  executions: ExecutionsTable;
  callbacks: CallbacksTable;
  artifacts: ArtifactsTable;
  events: EventsTable;
  counters: CountersTable;
  pauses: PausesTable;
}

/** Who submits; `served` is the tick of its last start, for the round-robin. */
export interface ApiKeysTable {
  name: string;
  served: number;
}

export interface JobsTable {
  id: string;
  api_key: string;
  name: string | null;
  status: JobStatus;
  priority: number;
  max_parallel: number | null;
  on_run_failure: "continue" | "cancel_rest";
  on_lost: "fail" | "retry";
  retry_max_attempts: number;
  /** JSON array of retry classes. */
  retry_on: string;
  /** JSON as it was given. */
  metadata: string | null;
  deadline_at: number | null;
  cancel_mode: CancelMode | null;
  cancel_cause: CancelCause | null;
  /** When the job itself needs a hand: its deadline, or a cancellation that is still being spread. */
  due_at: number | null;
  /** The earliest start that dispatch could make here; null when there is none. */
  ready_at: number | null;
  served: number;
  total: number;
  queued: number;
  active: number;
  collecting: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}

export interface IdempotencyKeysTable {
  api_key: string;
  key: string;
  body_hash: string;
  job_id: string;
}

export interface RunsTable {
  id: string;
  job_id: string;
  position: number;
  /** Which of the job's specs; with `matrix` it says what the run is. */
  spec_position: number;
  name: string | null;
  kind: RunKind;
  status: RunStatus;
  version: number;
  attempt: number;
  timeout_s: number;
  execution_type: string | null;
  due_at: number | null;
  execution_id: string | null;
  cancel_mode: CancelMode | null;
  cancel_cause: CancelCause | null;
  error_code: string | null;
  error_detail: string | null;
  retry_of: string | null;
  /** JSON: this run's values, to be set in the spec's env. */
  matrix: string | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}

/**
 * What was asked for, once for all runs of one matrix. Apart from the runs, which are read often and hold nothing
 * large or secret.
 */
export interface SpecsTable {
  job_id: string;
  position: number;
  spec: Buffer;
}

export interface ExecutionsTable {
  id: string;
  run_id: string;
  job_id: string;
  attempt: number;
  phase: Phase;
  status: ExecutionStatus;
  raw_status: string | null;
  version: number;
  due_at: number | null;
  lyceum_execution_id: string | null;
  submitted_at: number;
  accepted_at: number | null;
  in_doubt_at: number | null;
  unseen_ms: number;
  looked_at: number | null;
  callback_at: number | null;
  expected_end_at: number | null;
  cancel_sent_at: number | null;
  started_at: number | null;
  ended_at: number | null;
  detected_at: number | null;
  detected_by: DetectedBy | null;
  timed_out: number;
  return_code: number | null;
  cost: number | null;
  hardware: string | null;
  error: string | null;
}

export type Disposition = "received" | "early" | "duplicate" | "late";

export interface CallbacksTable {
  id: string;
  execution_id: string;
  received_at: number;
  disposition: Disposition;
  content_type: string | null;
  body: Buffer;
  truncated: number;
}

export const artifactKinds = ["record", "timing", "logs", "metrics"] as const;
export type ArtifactKind = (typeof artifactKinds)[number];

export interface ArtifactsTable {
  execution_id: string;
  kind: ArtifactKind;
  state: "pending" | "stored" | "unavailable";
  reason: string | null;
  tries: number;
  /** When to ask (again); not null exactly while pending. */
  due_at: number | null;
  first_tried_at: number | null;
  fetched_at: number | null;
  /** JSON: what lists and the next try need to know without opening the document. */
  summary: string | null;
  /** Compressed JSON. */
  document: Buffer | null;
}

export interface EventsTable {
  seq: number;
  id: string;
  type: string;
  created_at: number;
  job_id: string;
  run_id: string | null;
  execution_id: string | null;
  data: string;
}

export interface CountersTable {
  name: string;
  value: number;
}

/** Until when a group of calls to Lyceum is paused, so that a restart does not forget a 429. */
export interface PausesTable {
  call_group: string;
  until_at: number;
}
