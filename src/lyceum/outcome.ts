// The results of a call to Lyceum. Expected outcomes are values; only bugs are thrown.

export type StartOutcome =
  /** Lyceum took it; from here on it costs money. */
  | { type: "accepted"; lyceumExecutionId: string; word: string }
  /** A 4xx in Lyceum's own form: this request is at fault, Lyceum did not take it and never will. */
  | { type: "refused"; status: number; detail: string }
  /** 429: not taken, may be tried again after `retryAfterMs`. */
  | { type: "throttled"; retryAfterMs: number; isSent?: boolean }
  /** 401 that a fresh token did not cure: not taken, and not this run's fault. */
  | { type: "unauthorized"; detail: string }
  /** Certain that Lyceum did not take it: nothing was sent, or somebody else answered in Lyceum's place. */
  | { type: "unreachable"; detail: string; isSent?: boolean }
  /** 503: Lyceum says that it takes nothing now. Null: it does not say for how long. */
  | { type: "unavailable"; retryAfterMs: number | null; detail: string }
  /** Not sent: this instance was silent for so long that another one may have given the start up. */
  | { type: "stale"; detail: string }
  /** Credits or quota are used up: not taken, and no run's fault. */
  | { type: "unfunded"; detail: string }
  /** Bytes may have been sent (time-out, reset, other 5xx, 2xx without a usable id): Lyceum may or may not run it. */
  | { type: "unknown"; detail: string };

export type ReadOutcome<T> =
  | { type: "ok"; value: T }
  /** 404 or 410 in Lyceum's own form. */
  | { type: "missing"; detail: string }
  /** Any other 4xx in Lyceum's own form. */
  | { type: "refused"; status: number; detail: string }
  | { type: "throttled"; retryAfterMs: number }
  | { type: "unauthorized"; detail: string }
  /** JSON that lacks what is due, is about another execution, or is too large: says nothing about the run. */
  | {
      type: "unreadable";
      detail: string;
      isTooLarge: boolean;
      /** The answer is about another execution. No other answer about this id can be trusted either. */
      isForeign?: boolean;
      /** `{}` or `[]`. */
      isEmpty?: boolean;
    }
  /** Nothing of Lyceum's came: transport errors, time-outs, 5xx, pages, redirects. Says nothing about the run. */
  | { type: "unreachable"; detail: string };
