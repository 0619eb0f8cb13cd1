// How long runs take: learned from the ends of like runs, forgotten with the process, never more than a hint.

export interface Durations {
  learn(like: string, durationMs: number): void;
  /** Milliseconds from acceptance to end that most runs like this one stay under; null while none has ended. */
  expected(like: string): number | null;
}

interface Learned {
  mean: number;
  deviation: number;
}

const MAX_KINDS = 1_000;
/** Weight of the newest duration. */
const GAIN = 0.2;

/** Smoothed mean plus two smoothed deviations, as TCP estimates its round trips (RFC 6298). */
export function createDurations(): Durations {
  const known = new Map<string, Learned>();
  return {
    learn(like, durationMs) {
      const before = known.get(like) ?? { mean: durationMs, deviation: durationMs / 2 };
      const error = durationMs - before.mean;
      const deviation = before.deviation + GAIN * (Math.abs(error) - before.deviation);
      // Deleted and set again: the map's order is that of the last use, so that the oldest goes first.
      known.delete(like);
      known.set(like, { mean: before.mean + GAIN * error, deviation });
      const [oldest] = known.keys();
      if (known.size > MAX_KINDS && oldest !== undefined) known.delete(oldest);
    },
    expected(like) {
      const learned = known.get(like);
      return learned === undefined ? null : Math.ceil(learned.mean + 2 * learned.deviation);
    },
  };
}
