// Time as an input: no other code of the service reads the machine's clock.

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

/** True during a pause of at most `maxMs`. A longer rest of a pause means that the clock was set back: it is over. */
export function isPaused(until: number, maxMs: number, now: number): boolean {
  return until > now && until - now <= maxMs;
}

/** Timers as an input, so that a test or a simulation runs hours in no time. */
export interface Timers {
  /** Calls `fn` once after `ms` milliseconds, unless the returned function is called before. */
  after(ms: number, fn: () => void): () => void;
}

/** False: the work takes longer. Rejects if the work does within this time. */
export function within(timers: Timers, ms: number, work: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const cancel = timers.after(Math.max(ms, 0), () => resolve(false));
  return Promise.race([work.then(() => true), late]).finally(cancel);
}

/** The longest delay of Node's timers; a longer delay would fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

export const systemTimers: Timers = {
  after: (ms, fn) => {
    if (ms <= 0) {
      // A timer of 0 ms would wait a millisecond.
      const turn = setImmediate(fn);
      return () => clearImmediate(turn);
    }
    const timer = setTimeout(fn, Math.min(ms, MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
};
