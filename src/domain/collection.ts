// How long an artifact is worth asking for: every wait has a bound, and every giving up a reason.

export interface Attempt {
  /** Definite answers so far, this one included. */
  tries: number;
  firstTriedAt: number;
  /** An earlier read brought something, which stays whatever comes now. */
  isKept: boolean;
  now: number;
}

export type Verdict = { retryInMs: number } | { giveUp: string };

/** Lyceum answered, and the answer cannot be used: it may only be early, so a few more tries, further and further apart. */
export function afterUnusable({ tries, isKept }: Attempt, detail: string): Verdict {
  const lastWaitMs = isKept && tries < MAX_READS ? UNUSABLE_WAITS_MS.at(-1) : undefined;
  const retryInMs = UNUSABLE_WAITS_MS[tries - 1] ?? lastWaitMs;
  return retryInMs === undefined ? { giveUp: detail } : { retryInMs };
}

/**
 * No answer says nothing about the artifact. The silence of one endpoint is given up soon; while Lyceum as a whole is
 * away the time does not count, up to an hour in all.
 * @param awayAt when nobody was answered last, or may have been asked: a rate limit stands for all reads
 */
export function afterSilence(
  { firstTriedAt, now }: Attempt,
  awayAt: number,
  retryAfterMs: number,
  detail: string,
): Verdict {
  const awayLeftMs = firstTriedAt + MAX_AWAY_MS - now;
  if (awayLeftMs <= 0) return { giveUp: `Lyceum could not be asked for an hour: ${detail}` };
  const silenceLeftMs = Math.max(firstTriedAt, awayAt) + MAX_SILENCE_MS - now;
  if (silenceLeftMs <= 0)
    return { giveUp: `no answer for 5 minutes, while Lyceum answered other calls: ${detail}` };
  return { retryInMs: Math.max(Math.min(retryAfterMs, awayLeftMs, silenceLeftMs), MIN_WAIT_MS) };
}

/** `unjudged`: the record does not tell what was printed, or the log has lines that the record does not know. */
export type LogStanding = "whole" | "lacking" | "unjudged";

export interface LogReads {
  reads: number;
  /** The last read brought entries that the ones before lacked. */
  hasGrown: boolean;
  standing: LogStanding;
}

/**
 * Loki lags: a log is read again, further and further apart, until the record proves it whole, or, where the record
 * cannot judge it, until it has stopped growing. Null when it is read no more.
 */
export function nextLogRead({ reads, hasGrown, standing }: LogReads, spacingMs: number): number | null {
  if (standing === "whole" || reads >= MAX_READS) return null;
  return reads === 1 || hasGrown || standing === "lacking" ? spacingMs * reads : null;
}

/** However many answers come, an artifact is read no more often. */
export const MAX_READS = 6;
const UNUSABLE_WAITS_MS = [2_000, 10_000, 30_000];
const MIN_WAIT_MS = 1_000;
const MAX_SILENCE_MS = 5 * 60_000;
const MAX_AWAY_MS = 3_600_000;

/** Lyceum's look-back in whole hours, 1 to 168, so that it covers the run from its start; null if too long ago. */
export function lookBackHours(startedAt: number, now: number): number | null {
  const hours = Math.ceil((now - startedAt) / 3_600_000) + 1;
  if (hours > 169) return null;
  return Math.max(1, Math.min(hours, 168));
}

/** The distance of metrics' samples that suits a run of this duration. */
export function metricsStep(durationMs: number): MetricsStep {
  if (durationMs < 5 * 60_000) return { name: "5s", ms: 5_000 };
  return durationMs <= 4 * 3_600_000 ? { name: "15s", ms: 15_000 } : { name: "1m", ms: 60_000 };
}

export interface MetricsStep {
  /** As Lyceum writes it. */
  name: string;
  ms: number;
}
