// An execution: one invocation at Lyceum on behalf of a run. Its id exists, durable, before the submission.
import type { CostSource } from "./cost.ts";
import type { FailureReason } from "./failure-reason.ts";

const endedStatuses = [
  "completed",
  "failed",
  "system_failure",
  "cancelled",
  "aborted",
  "rejected",
  "lost",
] as const;
/** `submitting`, `rejected` and `lost` are ours; the others are Lyceum's own words [docs/serverless/runs]. */
export const executionStatuses = ["submitting", "pending", "starting", "running", ...endedStatuses] as const;
export type ExecutionStatus = (typeof executionStatuses)[number];

/**
 * Decides the worker that `dueAt` wakes.
 * submitting: the start's answer or, once in doubt, a search by marker. watching: a check. collecting: its artifacts.
 * orphan: given up as lost, to be aborted if it shows up. closed: nothing, for ever.
 */
export const phases = ["submitting", "watching", "collecting", "orphan", "closed"] as const;
export type Phase = (typeof phases)[number];

/** unanswered: the answer was lost, or does not tell. unavailable: a 503, which list and history have to confirm. */
export type Doubt = "unanswered" | "unavailable";

export type DetectedBy = "callback" | "poll";

/** Each field only if it was readable. */
export interface Snapshot {
  /** Null for an unknown status word: the execution counts as alive. */
  status: ExecutionStatus | null;
  raw: string;
  timedOut: boolean;
  startedAt?: number | undefined;
  endedAt?: number | undefined;
  returnCode?: number | undefined;
  cost?: number | undefined;
  /** Left out: the cost is Lyceum's own figure. */
  costSource?: CostSource | undefined;
  hardware?: string | undefined;
  detail?: string | undefined;
  reason?: FailureReason | null | undefined;
}

export interface Execution {
  id: string;
  runId: string;
  jobId: string;
  attempt: number;
  /** The run's execution before this one; becomes its last again if this start is not accepted. */
  previousId: string | null;
  phase: Phase;
  status: ExecutionStatus;
  rawStatus: string | null;
  version: number;
  /** Time of the next wake-up; null exactly once closed. */
  dueAt: number | null;
  lyceumExecutionId: string | null;
  /** The URL of Lyceum's live output. May hold a token: for the owner alone. */
  streamingUrl: string | null;
  submittedAt: number;
  acceptedAt: number | null;
  inDoubtAt: number | null;
  /** Null exactly while `inDoubtAt` is null. */
  doubt: Doubt | null;
  /** Time in which Lyceum answered and did not know the execution; outages do not count. */
  unseenMs: number;
  /** Time of the last look-up, if Lyceum answered it. */
  checkedAt: number | null;
  /** The newest callback that no snapshot of an end has followed yet. */
  callbackAt: number | null;
  expectedEndAt: number | null;
  cancelSentAt: number | null;
  startedAt: number | null;
  endedAt: number | null;
  detectedAt: number | null;
  detectedBy: DetectedBy | null;
  timedOut: boolean;
  returnCode: number | null;
  /** Credits, known from the end on; `costSource` is null exactly while the cost is null. */
  cost: number | null;
  costSource: CostSource | null;
  hardware: string | null;
  error: string | null;
}

export function hasEnded(status: ExecutionStatus): boolean {
  return (endedStatuses as readonly ExecutionStatus[]).includes(status);
}

/** The end came before the start, so that nothing was measured. */
export function neverRan({ status, startedAt }: Pick<Execution, "status" | "startedAt">): boolean {
  return startedAt === null && ["cancelled", "aborted", "system_failure"].includes(status);
}
