// Lyceum documents rate-limit headers only in its oldest introduction: each may be missing, and has many forms.
import { readHttpDate, readRetryAfter } from "../lib/retry-after.ts";
import type { AnswerHeaders } from "./http-exchange.ts";
import { fromUnix, readTime } from "./lenient-values.ts";

/** Durations; 0 for a moment that is over. */
export interface LimitNotice {
  max: number | null;
  remaining: number | null;
  resetInMs: number | null;
  retryAfterMs: number | null;
}

/** The longest window that Lyceum documents. Longer pauses are cut to this. */
export const MAX_PAUSE_MS = 3_600_000;
const MAX_CALLS = 1_000_000;

/** @param wallAt our time (epoch ms), used if the answer has no `Date` */
export function readLimits(headers: AnswerHeaders, wallAt: number): LimitNotice {
  const serverAt = readHttpDate(headers.get("date") ?? "") ?? wallAt;
  const limit = headers.get("x-ratelimit-limit");
  const max = count(limit, 1, MAX_CALLS);
  // A malformed limit makes the remaining count doubtful, too.
  const isBroken = limit !== null && max === null;
  return {
    max,
    remaining: isBroken ? null : count(headers.get("x-ratelimit-remaining"), 0, max ?? MAX_CALLS),
    resetInMs: readDelay(headers.get("x-ratelimit-reset"), serverAt),
    retryAfterMs: readDelay(headers.get("retry-after"), serverAt),
  };
}

/** A whole number, perhaps with a policy behind it (`100;w=3600`, `100, 100;w=3600`). */
function count(value: string | null, min: number, max: number): number | null {
  const [, digits = ""] = /^\s*(\d{1,7})\s*(?:[,;]|$)/.exec(value ?? "") ?? [];
  return digits !== "" && Number(digits) >= min && Number(digits) <= max ? Number(digits) : null;
}

/** A delay or a moment, in any unit, told apart by size. */
function readDelay(value: string | null, serverAt: number): number | null {
  const text = value?.trim() ?? "";
  const number = NUMBER.test(text) ? Number(text) : null;
  if (number !== null && number < MIN_EPOCH_S) return Math.max(isInMs(number) ? number : number * 1000, 0);
  const at = number === null ? readTime(text) : fromUnix(number);
  return at === null ? readRetryAfter(text, serverAt) : Math.max(at - serverAt, 0);
}

const NUMBER = /^[+-]?\d+(?:\.\d+)?$/;
const MIN_EPOCH_S = 1e9;
const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;
/** Clock difference by which an hour may seem longer. */
const SKEW_S = 60;

/**
 * A delay above an hour in seconds exceeds every documented window: it is in milliseconds, unless it is whole hours.
 */
function isInMs(delay: number): boolean {
  const isHours = delay <= DAY_S && delay % HOUR_S === 0;
  return delay > HOUR_S + SKEW_S && delay <= MAX_PAUSE_MS && !isHours;
}
