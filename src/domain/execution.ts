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
/** `submitting`, `rejected` and `lost` are ours, the others Lyceum's own words [docs/serverless/runs]. */
export const executionStatuses = ["submitting", "pending", "starting", "running", ...endedStatuses] as const;
export type ExecutionStatus = (typeof executionStatuses)[number];

/**
 * What is owed to an execution next, and so which worker its `dueAt` wakes.
 * submitting: the start's answer, or, once in doubt, a search by marker. watching: a check. collecting: its
 * artifacts. orphan: it was given up as lost and may still show up, to be aborted. closed: nothing, ever.
 */
export const phases = ["submitting", "watching", "collecting", "orphan", "closed"] as const;
export type Phase = (typeof phases)[number];

/**
 * Why a start is in doubt. unanswered: its answer was lost, or says nothing. unavailable: Lyceum said that it takes
 * nothing (503), which its list and history have to confirm.
 */
export type Doubt = "unanswered" | "unavailable";

export type DetectedBy = "callback" | "poll";

/** What Lyceum's record says of an execution; each field only if it was readable. */
export interface Snapshot {
  /** Null for a word that is not known: still going, as far as anyone can say. */
  status: ExecutionStatus | null;
  raw: string;
  timedOut: boolean;
  startedAt?: number | undefined;
  endedAt?: number | undefined;
  returnCode?: number | undefined;
  cost?: number | undefined;
  /** Lyceum's figure, unless it says otherwise. */
  costSource?: CostSource | undefined;
  hardware?: string | undefined;
  detail?: string | undefined;
  /** Why it did not succeed. */
  reason?: FailureReason | null | undefined;
}

export interface Execution {
  id: string;
  runId: string;
  jobId: string;
  attempt: number;
  /** The run's execution before this one, which is its last again if this one never comes to be. */
  previousId: string | null;
  phase: Phase;
  status: ExecutionStatus;
  /** Lyceum's raw word, beside ours. */
  rawStatus: string | null;
  version: number;
  /** When its worker is woken; not null exactly while not closed. */
  dueAt: number | null;
  lyceumExecutionId: string | null;
  submittedAt: number;
  acceptedAt: number | null;
  inDoubtAt: number | null;
  /** Null exactly while `inDoubtAt` is. */
  doubt: Doubt | null;
  /** Time in which Lyceum answered and did not know it: an outage does not count. */
  unseenMs: number;
  /** When the last look-up was made, if Lyceum answered it. */
  lookedAt: number | null;
  /** The newest callback that no terminal reading has followed yet. */
  callbackAt: number | null;
  expectedEndAt: number | null;
  cancelSentAt: number | null;
  startedAt: number | null;
  endedAt: number | null;
  /** When we learned of the end. */
  detectedAt: number | null;
  detectedBy: DetectedBy | null;
  timedOut: boolean;
  returnCode: number | null;
  /** Credits, known from the end on; `costSource` is null exactly while it is. */
  cost: number | null;
  costSource: CostSource | null;
  hardware: string | null;
  error: string | null;
}

export function hasEnded(status: ExecutionStatus): boolean {
  return (endedStatuses as readonly ExecutionStatus[]).includes(status);
}

/** True when the execution ended before it began, so nothing was measured. */
export function neverRan({ status, startedAt }: Pick<Execution, "status" | "startedAt">): boolean {
  return startedAt === null && ["cancelled", "aborted", "system_failure"].includes(status);
}
