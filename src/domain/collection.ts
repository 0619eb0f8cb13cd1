// How long an artifact is worth asking for: every wait has a bound, and every giving up a reason.

export interface Attempt {
  /** Definite answers so far that brought nothing, this one counted in. */
  tries: number;
  firstTriedAt: number;
  now: number;
}

export type Verdict = { retryInMs: number } | { giveUp: string };

/** Lyceum answered and had nothing (404, 4xx): it may only be late, so a few more tries, further and further apart. */
export function afterRefusal({ tries }: Attempt, detail: string): Verdict {
  const retryInMs = REFUSAL_WAITS_MS[tries - 1];
  return retryInMs === undefined ? { giveUp: `Lyceum has none: ${detail}` } : { retryInMs };
}

/** No answer: says nothing about the artifact, so it is asked for until the time is up. */
export function afterSilence({ firstTriedAt, now }: Attempt, retryAfterMs: number, detail: string): Verdict {
  if (now - firstTriedAt >= SILENCE_MS) return { giveUp: `Lyceum could not be asked for an hour: ${detail}` };
  return { retryInMs: Math.max(retryAfterMs, 1_000) };
}

export interface LogReads {
  reads: number;
  /** Entries after this read, and after the one before. */
  count: number;
  countBefore: number;
  /** The record shows output, so that there must be a log. */
  expected: boolean;
  /** The record proves that nothing is missing. */
  proven: boolean;
}

/** Loki lags: a log is read again until the record proves it whole, or it has stopped growing. Null when it has. */
export function nextLogRead(
  { reads, count, countBefore, expected, proven }: LogReads,
  spacingMs: number,
): number | null {
  if (proven || reads >= MOST_LOG_READS) return null;
  if (reads === 1) return spacingMs;
  if (count > countBefore) return spacingMs * 2;
  return count === 0 && expected ? spacingMs * reads : null;
}

export const MOST_LOG_READS = 6;
const REFUSAL_WAITS_MS = [2_000, 10_000, 30_000];
const SILENCE_MS = 3_600_000;

/** Lyceum's look-back in whole hours, 1 to 168, so that it covers the run from its start; null if too long ago. */
export function lookBackHours(startedAt: number, now: number): number | null {
  const hours = Math.ceil((now - startedAt) / 3_600_000) + 1;
  if (hours > 169) return null;
  return Math.max(1, Math.min(hours, 168));
}
