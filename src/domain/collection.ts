// The schedule for fetching artifacts: every wait has a bound, and giving up has a reason.

export interface Attempt {
  tries: number;
  firstTriedAt: number;
  /** A document of an earlier read is kept, whatever comes now. */
  isKept: boolean;
  now: number;
}

export type Verdict = { retryInMs: number } | { giveUp: string };

/** An unusable answer may only be early: a few more tries, ever further apart. */
export function afterUnusable({ tries, isKept }: Attempt, detail: string): Verdict {
  const lastWaitMs = isKept && tries < MAX_READS ? UNUSABLE_WAITS_MS.at(-1) : undefined;
  const retryInMs = UNUSABLE_WAITS_MS[tries - 1] ?? lastWaitMs;
  return retryInMs === undefined ? { giveUp: detail } : { retryInMs };
}

/**
 * Silence says nothing about the artifact: one endpoint is given up soon, an outage of all of Lyceum after an hour.
 * @param awayAt the end of the last outage or rate limit
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

/** `unjudged`: the record does not show the output, or the log has lines that the record lacks. */
export type LogStanding = "whole" | "lacking" | "unjudged";

export interface LogReads {
  reads: number;
  hasGrown: boolean;
  standing: LogStanding;
}

/** Logs arrive late: read again until the record proves the log whole, or it stops growing. Null: no further read. */
export function nextLogRead({ reads, hasGrown, standing }: LogReads, spacingMs: number): number | null {
  if (standing === "whole" || reads >= MAX_READS) return null;
  return reads === 1 || hasGrown || standing === "lacking" ? spacingMs * reads : null;
}

export const MAX_READS = 6;
const UNUSABLE_WAITS_MS = [2_000, 10_000, 30_000];
const MIN_WAIT_MS = 1_000;
const MAX_SILENCE_MS = 5 * 60_000;
const MAX_AWAY_MS = 3_600_000;

/** The look-back in whole hours, 1 to 168, that covers the run from its start; null if the start is too long ago. */
export function lookBackHours(startedAt: number, now: number): number | null {
  const hours = Math.ceil((now - startedAt) / 3_600_000) + 1;
  if (hours > 169) return null;
  return Math.max(1, Math.min(hours, 168));
}

export function metricsStep(durationMs: number): MetricsStep {
  if (durationMs < 5 * 60_000) return { name: "5s", ms: 5_000 };
  return durationMs <= 4 * 3_600_000 ? { name: "15s", ms: 15_000 } : { name: "1m", ms: 60_000 };
}

export interface MetricsStep {
  /** Lyceum's notation. */
  name: string;
  ms: number;
}
