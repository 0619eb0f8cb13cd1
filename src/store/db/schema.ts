// Row types of the tables; schema-service.ts and schema-webhooks.ts have more. Times are epoch ms, booleans 0 or 1.
import type { Generated } from "kysely";
import type { Disposition } from "../../domain/callback-disposition.ts";
import type { CostSource } from "../../domain/cost.ts";
import type { DetectedBy, Doubt, ExecutionStatus, Phase } from "../../domain/execution.ts";
import type { FailureReason } from "../../domain/failure-reason.ts";
import type { JobStatus } from "../../domain/job.ts";
import type { CancelCause, CancelMode, Outcome, RunStatus } from "../../domain/run.ts";
import type { RunKind } from "../../domain/spec.ts";
import type {
  CountersTable,
  FoundStartsTable,
  HardwareUsageTable,
  InstancesTable,
  MachineTypesTable,
  PausesTable,
  PlacesTable,
  QuotasTable,
  RolesTable,
  SessionsTable,
  StartPauseTable,
  StatsTable,
  StraysTable,
  UsageTable,
} from "./schema-service.ts";
import type { DeliveriesTable, WebhooksTable } from "./schema-webhooks.ts";

export interface Schema {
  api_keys: ApiKeysTable;
  jobs: JobsTable;
  runs: RunsTable;
  specs: SpecsTable;
  executions: ExecutionsTable;
  callbacks: CallbacksTable;
  inbox: InboxTable;
  artifacts: ArtifactsTable;
  events: EventsTable;
  counters: CountersTable;
  stats: StatsTable;
  pauses: PausesTable;
  start_pause: StartPauseTable;
  webhooks: WebhooksTable;
  deliveries: DeliveriesTable;
  usage: UsageTable;
  hardware_usage: HardwareUsageTable;
  machine_types: MachineTypesTable;
  deleted_keys: DeletedKeysTable;
  sessions: SessionsTable;
  instances: InstancesTable;
  places: PlacesTable;
  quotas: QuotasTable;
  roles: RolesTable;
  found_starts: FoundStartsTable;
  strays: StraysTable;
}

/** Idempotency keys of deleted jobs, stored as long as the jobs would have been. */
export interface DeletedKeysTable {
  api_key: string;
  idempotency_key: string;
  deleted_at: number;
}

/** API keys that submitted; `last_served_seq` is the tick of the key's last start, for the round-robin. */
export interface ApiKeysTable {
  name: string;
  last_served_seq: number;
  budget_nano: number | null;
  budget_window_ms: number | null;
  /** The last window with a cost, and its sum. */
  window_started_at: number | null;
  window_spent_nano: number | null;
  /** The budget is used up: no run of this key starts earlier. */
  held_until: number | null;
  /** The quota's current window, and its runs. */
  quota_started_at: number | null;
  quota_used: number | null;
}

export interface JobsTable {
  id: string;
  api_key: string;
  /** Unique per API key. `body_hash` tells a repeated request from another request with the same key. */
  idempotency_key: string | null;
  body_hash: string | null;
  name: string | null;
  status: JobStatus;
  priority: number;
  max_parallel: number | null;
  on_run_failure: "continue" | "cancel_rest";
  on_lost: "fail" | "retry";
  retry_max_attempts: number;
  retry_on: string;
  metadata: string | null;
  /** Receives the job's end, signed with the service's own secret. */
  webhook_url: string | null;
  deadline_at: number | null;
  cancel_mode: CancelMode | null;
  cancel_cause: CancelCause | null;
  due_at: number | null;
  /** The earliest start of a run; null when none may start. */
  ready_at: number | null;
  last_served_seq: number;
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
  /** Billionths of a credit over all executions; `unpriced` counts executions of unknown cost. */
  billed_nano: number;
  estimated_nano: number;
  unpriced: number;
  budget_nano: number | null;
  budget_reached_at: number | null;
  deletion_requested_at: number | null;
  deletion_due_at: number | null;
  deleted_at: number | null;
  /** The job's trace as a `traceparent` header. */
  traceparent: string | null;
}

export interface RunsTable {
  id: string;
  job_id: string;
  api_key: string;
  position: number;
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
  outcome: Outcome | null;
  error_code: string | null;
  error_detail: string | null;
  error_reason: FailureReason | null;
  retry_of: string | null;
  /** JSON: values that the run sets in the spec's env. */
  matrix: string | null;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
}

/** Specs, one for all runs of a matrix. Apart from the runs, whose rows are read often and stay small. */
export interface SpecsTable {
  job_id: string;
  position: number;
  spec: Buffer;
  /** JSON: overrides of the job's policy. */
  policy: string | null;
}

export interface ExecutionsTable {
  id: string;
  run_id: string;
  job_id: string;
  attempt: number;
  previous_id: string | null;
  phase: Phase;
  status: ExecutionStatus;
  raw_status: string | null;
  version: number;
  due_at: number | null;
  lyceum_execution_id: string | null;
  streaming_url: string | null;
  submitted_at: number;
  accepted_at: number | null;
  in_doubt_at: number | null;
  doubt: Doubt | null;
  unseen_ms: number;
  checked_at: number | null;
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
  cost_source: CostSource | null;
  hardware: string | null;
  error: string | null;
  remote_deleted_at: number | null;
  claimed_by: string | null;
}

/** A row leaves the inbox in the transaction that files it. */
export interface InboxTable extends ReceivedCallback {
  /** In the order of arrival. */
  seq: Generated<number>;
}

export interface CallbacksTable extends ReceivedCallback {
  disposition: Disposition;
}

/** As received. */
interface ReceivedCallback {
  id: string;
  execution_id: string;
  received_at: number;
  content_type: string | null;
  content_encoding: string | null;
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
  /** When the artifact is requested next; set exactly while pending. */
  due_at: number | null;
  first_tried_at: number | null;
  fetched_at: number | null;
  /** JSON: the facts that lists and the next attempt need without the document. */
  summary: string | null;
  document: Buffer | null;
}

export interface EventsTable {
  seq: number;
  type: string;
  created_at: number;
  job_id: string;
  run_id: string | null;
  execution_id: string | null;
  data: string;
}
