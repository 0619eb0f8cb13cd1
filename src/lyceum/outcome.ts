// The outcomes of calls to Lyceum. Expected outcomes are values; only bugs are thrown.

export type StartOutcome =
  /** Lyceum accepted the start; the execution costs money from here on. */
  | { type: "accepted"; lyceumExecutionId: string; word: string; streamingUrl?: string }
  /** The request is at fault and will never be accepted. */
  | { type: "refused"; status: number; detail: string }
  | { type: "throttled"; retryAfterMs: number; isSent?: boolean }
  /** A 401 even with a fresh token: not accepted, and not the run's fault. */
  | { type: "unauthorized"; detail: string }
  /** Certainly not accepted: nothing was sent, or another server answered in Lyceum's place. */
  | { type: "unreachable"; detail: string; isSent?: boolean }
  /** 503: Lyceum says that it accepts no starts now; null: for an unknown time. */
  | { type: "unavailable"; retryAfterMs: number | null; detail: string }
  /** Not sent: this instance was silent for so long that another instance may have given the start up. */
  | { type: "stale"; detail: string }
  /** Credits or quota are used up: not accepted, and not the run's fault. */
  | { type: "unfunded"; detail: string }
  /** Bytes may have been sent (time-out, reset, other 5xx, 2xx without a usable id): Lyceum may have accepted it. */
  | { type: "unknown"; detail: string };

export type ReadOutcome<T> =
  | { type: "ok"; value: T }
  /** 404 or 410 in Lyceum's own form. */
  | { type: "missing"; detail: string }
  /** Any other 4xx in Lyceum's own form. */
  | { type: "refused"; status: number; detail: string }
  | { type: "throttled"; retryAfterMs: number }
  | { type: "unauthorized"; detail: string }
  /** JSON without the required fields, about another execution, or too large: says nothing about the run. */
  | {
      type: "unreadable";
      detail: string;
      isTooLarge: boolean;
      /** The answer is about another execution. No other answer about this id can be trusted either. */
      isForeign?: boolean;
      isEmpty?: boolean;
    }
  | { type: "unreachable"; detail: string };
