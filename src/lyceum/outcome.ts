// The results of a call to Lyceum. Expected outcomes are values; only bugs are thrown.

export type StartOutcome =
  /** Lyceum took it; from here on it costs money. */
  | { outcome: "accepted"; lyceumExecutionId: string; word: string }
  /** A 4xx in Lyceum's own form: this request is at fault, Lyceum did not take it and never will. */
  | { outcome: "refused"; status: number; detail: string }
  /** 429: not taken, may be tried again after `retryAfterMs`. */
  | { outcome: "throttled"; retryAfterMs: number }
  /** 401 that a fresh token did not cure: not taken, and not this run's fault. */
  | { outcome: "unauthorized"; detail: string }
  /** Certain that Lyceum did not take it: nothing was sent, or somebody else answered in Lyceum's place. */
  | { outcome: "unreachable"; detail: string }
  /** 503: Lyceum says that it takes nothing now. Null: it does not say for how long. */
  | { outcome: "unavailable"; retryAfterMs: number | null; detail: string }
  /** Credits or quota are used up: not taken, and no run's fault. */
  | { outcome: "unfunded"; detail: string }
  /** Bytes may have been sent (time-out, reset, other 5xx, 2xx without a usable id): Lyceum may or may not run it. */
  | { outcome: "unknown"; detail: string };

export type ReadOutcome<T> =
  | { outcome: "ok"; value: T }
  /** 404 or 410 in Lyceum's own form. */
  | { outcome: "missing"; detail: string }
  /** Any other 4xx in Lyceum's own form. */
  | { outcome: "refused"; status: number; detail: string }
  | { outcome: "throttled"; retryAfterMs: number }
  | { outcome: "unauthorized"; detail: string }
  /** JSON that lacks what is due, is about another execution, or is too large: says nothing about the run. */
  | {
      outcome: "unreadable";
      detail: string;
      isTooLarge: boolean;
      /** The answer is about another execution. No other answer about this id can be trusted either. */
      isForeign?: boolean;
      /** `{}` or `[]`. */
      isEmpty?: boolean;
    }
  /** Nothing of Lyceum's came: transport errors, time-outs, 5xx, pages, redirects. Says nothing about the run. */
  | { outcome: "unreachable"; detail: string };
