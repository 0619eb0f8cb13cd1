// A run: one piece of work, performed at Lyceum by one or more executions.
import { type FailureReason, failureReasons } from "./failure-reason.ts";
import type { RunKind } from "./spec.ts";

/**
 * queued: waits for a start (moved by dispatch). active: an execution is submitted or alive (moved by snapshots).
 * collecting: ended at Lyceum, artifacts are being fetched (moved by collect). The other statuses are terminal.
 */
export const runStatuses = ["queued", "active", "collecting", "succeeded", "failed", "cancelled"] as const;
export type RunStatus = (typeof runStatuses)[number];

/** The outcome is known before the artifacts are stored; the status follows once they are. */
export const outcomes = ["succeeded", "failed", "cancelled"] as const satisfies readonly RunStatus[];
export type Outcome = (typeof outcomes)[number];

/** `abort` kills, `stop` ends gracefully [docs/serverless/runs]. */
export type CancelMode = "abort" | "stop";
/** The cause: a caller, the job's deadline, `on_run_failure: cancel_rest`, or the longest life at Lyceum. */
export type CancelCause = "request" | "deadline" | "run_failure" | "expired";
export interface Cancellation {
  mode: CancelMode;
  cause: CancelCause;
}

/** Ends of an execution that a policy may try again: how it ended, or the reason found for it. */
export const retryClasses = ["system_failure", "failed", "lost", ...failureReasons] as const;
export type RetryClass = (typeof retryClasses)[number];

/** For all runs of a job. */
export interface Policy {
  retry: { maxAttempts: number; on: readonly RetryClass[] };
  onLost: "fail" | "retry";
}

export interface Fault {
  code: string;
  detail: string;
  reason: FailureReason | null;
}

export interface Run {
  id: string;
  jobId: string;
  kind: RunKind;
  status: RunStatus;
  version: number;
  /** Executions so far. Starts that were throttled or not sent do not count. */
  attempt: number;
  timeoutS: number;
  /** Earliest time of the start; not null exactly while queued. */
  dueAt: number | null;
  executionId: string | null;
  cancellation: Cancellation | null;
  /** Null exactly while queued or active; never changes once set. The terminal status equals the outcome. */
  outcome: Outcome | null;
  /** Known with the outcome; null exactly for a success. */
  error: Fault | null;
  startedAt: number | null;
  endedAt: number | null;
}

export function isTerminal(status: RunStatus): status is Outcome {
  return (outcomes as readonly RunStatus[]).includes(status);
}
