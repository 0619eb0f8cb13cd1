// A circuit breaker: defers calls while Lyceum gives no answer at all. It only delays, and makes nothing fail.
import { exponentialMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";

export interface BreakerOptions {
  failures: number;
  baseMs: number;
  maxMs: number;
}

/** The wait while the probe of another call is under way. */
const RECHECK_MS = 1_000;

export function createBreaker(clock: Clock, random: () => number, options: BreakerOptions) {
  let failures = 0;
  let openings = 0;
  let retryAt = 0;
  let probing = false;

  const isClosed = () => failures < options.failures;

  function waitMs(): number {
    if (isClosed()) return 0;
    const left = retryAt - clock.monotonic();
    return left > 0 ? left : probing ? RECHECK_MS : 0;
  }

  /** Returns the function to call when the call has ended. */
  function begin(): () => void {
    if (isClosed() || probing) return () => {};
    probing = true;
    return () => {
      probing = false;
    };
  }

  function succeeded(): void {
    failures = 0;
    openings = 0;
  }

  function failed(): void {
    failures += 1;
    const now = clock.monotonic();
    // Concurrent calls fail for the same reason: only the first failure lengthens the pause.
    if (isClosed() || now < retryAt) return;
    const pauseMs = exponentialMs(++openings, { firstMs: options.baseMs, maxMs: options.maxMs });
    retryAt = now + pauseMs * (0.5 + random() / 2);
  }

  function snapshot() {
    const state = isClosed() ? "closed" : clock.monotonic() < retryAt ? "open" : "half_open";
    return { state, failures, retryAt: state === "open" ? retryAt : null } as const;
  }

  return { waitMs, begin, succeeded, failed, snapshot };
}
