// What can be learned about a run or its execution, by whatever way it was learned.
import type { DetectedBy, ExecutionStatus, Reading } from "../execution.ts";
import type { Cancellation, CancelMode } from "../run.ts";

export type Fact =
  /** Dispatch takes the run; saved before the POST. */
  | { fact: "claimed"; executionId: string }
  /** Lyceum has it: by the start's answer, or found by its marker. */
  | {
      fact: "accepted";
      lyceumExecutionId: string;
      status: ExecutionStatus | null;
      raw: string;
      found: boolean;
    }
  | { fact: "refused"; status: number; detail: string }
  /** Certain that Lyceum did not take it: throttled, unauthorized, credits used up, connection refused. */
  | { fact: "not_taken"; retryAt: number; reason: string }
  | { fact: "outcome_unknown"; detail: string }
  /** Lyceum said that it takes no starts (503): to be confirmed before the run waits again. */
  | { fact: "unavailable"; detail: string }
  /**
   * Neither the record nor a readable list nor the history, searched to its end, has the execution.
   * `searchedMs`: how long the search took, if it took several looks.
   */
  | { fact: "not_found"; askedAt: number; searchedMs?: number }
  /**
   * A look-up or a check was not answered: says nothing. `isUnderWay`: all questions were answered so far, and the search
   * goes on at the next look.
   */
  | { fact: "unanswered"; retryAt: number; isUnderWay?: boolean }
  /**
   * `heldUntil`: its reader keeps it claimed until then, to collect its end at once or to go on watching it.
   * `isBeyondAbort`: just before, Lyceum answered an abort or a stop that there is nothing to end.
   */
  | {
      fact: "reading";
      reading: Reading;
      by: DetectedBy;
      askedAt: number;
      heldUntil?: number | null;
      isBeyondAbort?: boolean;
    }
  | { fact: "callback" }
  | { fact: "cancel"; cancellation: Cancellation }
  | { fact: "cancel_sent"; mode: CancelMode }
  /** The job's budget is used up: what has not started will not. */
  | { fact: "over_budget" }
  /** `record`: what the record says by now, if it was read again. */
  | { fact: "collect_later"; dueAt: number; record?: Reading | undefined }
  | { fact: "collected"; record?: Reading | undefined };
