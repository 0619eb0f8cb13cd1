// What can be learned about a run or its execution, by whatever way it was learned.
import type { DetectedBy, ExecutionStatus, Snapshot } from "../execution.ts";
import type { Cancellation, CancelMode } from "../run.ts";

export type Fact =
  /** Dispatch takes the run; saved before the POST. */
  | { type: "claimed"; executionId: string }
  /** Lyceum has it: by the start's answer, or found by its marker. */
  | {
      type: "accepted";
      lyceumExecutionId: string;
      status: ExecutionStatus | null;
      raw: string;
      found: boolean;
    }
  | { type: "refused"; status: number; detail: string }
  /** Certain that Lyceum did not take it: throttled, unauthorized, credits used up, connection refused. */
  | {
      type: "not_taken";
      retryAt: number;
      reason: string;
      /** False: certain that no request left. */
      isSent?: boolean;
    }
  | { type: "outcome_unknown"; detail: string }
  /** Lyceum said that it takes no starts (503): to be confirmed before the run waits again. */
  | { type: "unavailable"; detail: string }
  /**
   * Neither the record nor a readable list nor the history, searched to its end, has the execution.
   * `searchedMs`: how long the search took, if it took several looks.
   */
  | { type: "not_found"; askedAt: number; searchedMs?: number }
  /**
   * A look-up or a check was not answered: says nothing. `isUnderWay`: all questions were answered so far, and the search
   * goes on at the next look.
   */
  | { type: "unanswered"; retryAt: number; isUnderWay?: boolean }
  /**
   * `heldUntil`: its reader keeps it claimed until then, to collect its end at once or to go on watching it.
   * `isBeyondAbort`: just before, Lyceum answered an abort or a stop that there is nothing to end.
   */
  | {
      type: "reading";
      snapshot: Snapshot;
      by: DetectedBy;
      askedAt: number;
      heldUntil?: number | null;
      isBeyondAbort?: boolean;
    }
  | { type: "callback" }
  | { type: "cancel"; cancellation: Cancellation }
  | { type: "cancel_sent"; mode: CancelMode }
  /** The job's budget is used up: what has not started will not. */
  | { type: "over_budget" }
  /** `record`: what the record says by now, if it was read again. */
  | { type: "collect_later"; dueAt: number; record?: Snapshot | undefined }
  | { type: "collected"; record?: Snapshot | undefined };
