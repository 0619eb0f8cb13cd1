// Keeps calls back from a Lyceum that gives no answer at all. It only delays: nothing fails because of it.
import type { Clock } from "../lib/clock.ts";

export interface BreakerOptions {
  /** Failures in a row after which it opens. */
  failures: number;
  /** The first pause; each further one is twice as long, up to `maxMs`. */
  baseMs: number;
  maxMs: number;
}

/** How long to wait while somebody else's probe is under way. */
const RECHECK_MS = 1_000;

export function createBreaker(clock: Clock, random: () => number, options: BreakerOptions) {
  let failures = 0;
  let openings = 0;
  let retryAt = 0;
  let probing = false;

  const isClosed = () => failures < options.failures;

  /** 0 if a call may go now. */
  function waitMs(): number {
    if (isClosed()) return 0;
    const left = retryAt - clock.monotonic();
    return left > 0 ? left : probing ? RECHECK_MS : 0;
  }

  /** Marks the start of a call that `waitMs` let through; the answer is called when it is over. */
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
    // Calls that were under way together tell one story: only the first of them lengthens the pause.
    if (isClosed() || now < retryAt) return;
    const pauseMs = Math.min(options.baseMs * 2 ** Math.min(openings, 30), options.maxMs);
    openings += 1;
    retryAt = now + pauseMs * (0.5 + random() / 2);
  }

  function snapshot() {
    const state = isClosed() ? "closed" : clock.monotonic() < retryAt ? "open" : "half_open";
    return { state, failures, retryAt: state === "open" ? retryAt : null } as const;
  }

  return { waitMs, begin, succeeded, failed, snapshot };
}
