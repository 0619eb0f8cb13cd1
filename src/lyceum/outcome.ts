// What a call to Lyceum can come to. Expected outcomes are values; only bugs are thrown.

export type StartOutcome =
  /** Lyceum took it; from here on it costs money. */
  | { outcome: "accepted"; lyceumExecutionId: string; word: string }
  /** A definite 4xx about this request: Lyceum did not take it and never will. */
  | { outcome: "refused"; status: number; detail: string }
  /** 429: not taken, may be tried again after `retryAfterMs`. */
  | { outcome: "throttled"; retryAfterMs: number }
  /** 401 that a fresh token did not cure: not taken, and not this run's fault. */
  | { outcome: "unauthorized"; detail: string }
  /** Certain that no byte of the request reached Lyceum (refused connection, no such host, failed TLS). */
  | { outcome: "unreachable"; detail: string }
  /** Bytes may have been sent (time-out, reset, 5xx, unreadable 2xx): Lyceum may or may not run it. */
  | { outcome: "unknown"; detail: string };

export type ReadOutcome<T> =
  | { outcome: "ok"; value: T }
  /** 404 (or 410). */
  | { outcome: "missing"; detail: string }
  /** Any other 4xx. */
  | { outcome: "refused"; status: number; detail: string }
  | { outcome: "throttled"; retryAfterMs: number }
  | { outcome: "unauthorized"; detail: string }
  /** A success that is too large, or HTML or nonsense where JSON was due: says nothing about the run. */
  | { outcome: "unreadable"; detail: string; isTooLarge: boolean }
  /** Says nothing about the run: transport errors, time-outs, 5xx. */
  | { outcome: "unreachable"; detail: string };
