// What is sent: the body of a submission, as the service's contract has it. Runs carry Lyceum's own field names.
import type { FailureReason, JobStatus, Outcome, RunKind, RunStatus } from "./answer.ts";

interface RunCommon {
  name?: string | null;
  /** Seconds, 1 to 600. */
  timeout?: number;
  /** Passed through to Lyceum as it is. */
  extra?: Record<string, unknown> | null;
  /** In place of the job's, for this run. */
  retry?: { max_attempts?: number; on?: RetryClass[] } | null;
  on_lost?: "fail" | "retry" | null;
}

interface CodeFields extends RunCommon {
  code: string;
  nbcode?: number | null;
  requirements_content?: string | null;
  prior_imports?: string[] | null;
  kernel_state?: string | null;
  import_files?: string | null;
  /** Relative path to text. */
  files?: Record<string, string> | null;
  env?: Record<string, string> | null;
  /** One run per combination, each with these values in its env. */
  matrix?: Record<string, string[]> | null;
}

interface RegistryFields {
  docker_registry_credential_type?: "aws" | "basic" | null;
  docker_username?: string | null;
  docker_password?: string | null;
  aws_access_key_id?: string | null;
  aws_secret_access_key?: string | null;
  aws_session_token?: string | null;
  aws_region?: string | null;
}

export interface PythonRun extends CodeFields {
  kind: "python";
  /** Lyceum's hardware profile, such as `cpu` (default) or `gpu.a100`. */
  execution_type?: string;
}

export interface GpuSelectionRun extends CodeFields {
  kind: "gpu_selection";
}

export interface ImageRun extends RunCommon, RegistryFields {
  kind: "image";
  docker_image_ref: string;
  docker_run_cmd?: string[];
  docker_run_env?: string | null;
  env?: Record<string, string> | null;
  matrix?: Record<string, string[]> | null;
  execution_type?: string;
  job_type?: string | null;
  enable_s3_mount?: boolean;
  graceful_timeout?: number | null;
}

export interface ComposeRun extends RunCommon, RegistryFields {
  kind: "compose";
  compose_file_code: string;
  execution_type?: string;
  enable_s3_mount?: boolean;
  graceful_timeout?: number | null;
}

export type RunRequest = PythonRun | ImageRun | ComposeRun | GpuSelectionRun;

/** Which ends of an execution are worth another one. */
export type RetryClass = "system_failure" | "failed" | "lost" | FailureReason;

export interface JobRequest {
  name?: string | null;
  runs: RunRequest[];
  /** Runs of this job alive at once. */
  max_parallel?: number | null;
  /** Higher starts first. */
  priority?: number;
  on_run_failure?: "continue" | "cancel_rest";
  retry?: { max_attempts?: number; on?: RetryClass[] };
  /** Seconds from the submission. */
  deadline_s?: number | null;
  /** Credits, from which on nothing more of the job starts. */
  budget?: number | null;
  on_lost?: "fail" | "retry";
  /** Gets the job's end, signed with the service's WEBHOOK_SECRET. */
  webhook_url?: string | null;
  /** Any JSON; given back as it is. */
  metadata?: unknown;
}

export interface JobFilter {
  status?: JobStatus | readonly JobStatus[];
  name?: string;
  /** The name of an API key; for readers and administrators. */
  key?: string;
  /** ISO 8601. */
  created_after?: string;
  created_before?: string;
}

export interface RunFilter {
  status?: RunStatus | readonly RunStatus[];
  outcome?: Outcome;
  name?: string;
  kind?: RunKind;
  hardware?: string;
  error_code?: string;
  reason?: string;
  /** ISO 8601. */
  created_after?: string;
  created_before?: string;
  /** Of one job alone; with `-` before it descending. */
  sort?: `${"" | "-"}${"position" | "duration" | "cost" | "ended_at"}`;
}

export interface InboxFilter {
  disposition?: "received" | "early" | "duplicate" | "late";
  execution_id?: string;
  /** ISO 8601. */
  received_after?: string;
  received_before?: string;
}

export interface UsageQuery {
  /** Days such as 2026-01-31; without them, the last 30. */
  from?: string;
  to?: string;
  group?: "day" | "key";
  key?: string;
}
