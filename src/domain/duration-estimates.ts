// Estimates the duration of runs from similar runs that ended. Kept in memory, and only a hint.

export interface Durations {
  /** @param key the same for similar runs */
  learn(key: string, durationMs: number): void;
  /** Milliseconds from acceptance to end that most similar runs stay under; null if no such run has ended. */
  expected(key: string): number | null;
}

interface Learned {
  mean: number;
  deviation: number;
}

const MAX_KINDS = 1_000;
const GAIN = 0.2;

/** Smoothed mean plus two smoothed deviations, as TCP estimates its round trips (RFC 6298). */
export function createDurations(): Durations {
  const known = new Map<string, Learned>();
  return {
    learn(key, durationMs) {
      const before = known.get(key) ?? { mean: durationMs, deviation: durationMs / 2 };
      const error = durationMs - before.mean;
      const deviation = before.deviation + GAIN * (Math.abs(error) - before.deviation);
      // Deleting first keeps the map in the order of the last use, so that the oldest entry goes first.
      known.delete(key);
      known.set(key, { mean: before.mean + GAIN * error, deviation });
      const [oldest] = known.keys();
      if (known.size > MAX_KINDS && oldest !== undefined) known.delete(oldest);
    },
    expected(key) {
      const learned = known.get(key);
      return learned === undefined ? null : Math.ceil(learned.mean + 2 * learned.deviation);
    },
  };
}
