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
