// Time as an input: nothing else in the service asks the machine what time it is.

export interface Clock {
  /** Wall clock, milliseconds since the epoch: for what is stored and shown. May jump. */
  now(): number;
  /** Milliseconds that only ever grow: for intervals, limits and time-outs. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/**
 * Whether a rest that was to last so long at most is not over. One that seems to last longer is from before the clock
 * was set back.
 */
export function isPaused(until: number, mostMs: number, now: number): boolean {
  return until > now && until - now <= mostMs;
}

/** Waiting as an input, so that a test or a simulation runs hours in no time. */
export interface Timers {
  /** Calls `fn` once after `ms` milliseconds, unless the returned function is called before. */
  after(ms: number, fn: () => void): () => void;
}

/** The longest delay that Node's timers take; a longer one would fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

export const systemTimers: Timers = {
  after: (ms, fn) => {
    if (ms <= 0) {
      // A timer of nothing waits a millisecond.
      const turn = setImmediate(fn);
      return () => clearImmediate(turn);
    }
    const timer = setTimeout(fn, Math.min(ms, MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};
