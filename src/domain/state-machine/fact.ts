// Facts: everything that can be learned about a run or its execution, whatever the source.
import type { DetectedBy, ExecutionStatus, Snapshot } from "../execution.ts";
import type { Cancellation, CancelMode } from "../run.ts";

export type Fact =
  | { type: "claimed"; executionId: string }
  /** Lyceum has the execution: by the answer to the start, or `found` by its marker. */
  | {
      type: "accepted";
      lyceumExecutionId: string;
      status: ExecutionStatus | null;
      raw: string;
      found: boolean;
      /** Only the start's answer tells it. */
      streamingUrl?: string | null;
    }
  | { type: "refused"; status: number; detail: string }
  /** Certainly not accepted by Lyceum: throttled, unauthorized, credits used up, connection refused. */
  | {
      type: "not_taken";
      retryAt: number;
      reason: string;
      /** False: certainly no request was sent. */
      isSent?: boolean;
    }
  | { type: "outcome_unknown"; detail: string }
  /** Lyceum answered that it accepts no starts (503), to be confirmed before the run is queued again. */
  | { type: "unavailable"; detail: string }
  /**
   * Neither record, nor list, nor the whole history has the execution. `searchedMs`: the time that the search took.
   */
  | { type: "not_found"; askedAt: number; searchedMs?: number }
  /** No answer says nothing. `isUnderWay`: Lyceum answered every call so far, and the search continues. */
  | { type: "unanswered"; retryAt: number; isUnderWay?: boolean }
  /**
   * `leaseUntil`: the reader keeps its claim until then. `isBeyondAbort`: Lyceum has just said: nothing to end.
   * `thenCollected`: the artifacts are stored with the end, if it is one.
   */
  | {
      type: "snapshot";
      snapshot: Snapshot;
      by: DetectedBy;
      askedAt: number;
      leaseUntil?: number | null;
      isBeyondAbort?: boolean;
      thenCollected?: Collected | undefined;
    }
  | { type: "callback" }
  | { type: "cancel"; cancellation: Cancellation }
  | { type: "cancel_sent"; mode: CancelMode }
  /** The job's budget is used up: queued runs will not start. */
  | { type: "over_budget" }
  | Collected;

/** `record`: the snapshot of the record, if it was read again. */
export type Collected =
  | { type: "collect_later"; dueAt: number; record?: Snapshot | undefined }
  | { type: "collected"; record?: Snapshot | undefined };
