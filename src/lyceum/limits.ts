// What the headers of an answer say about rate limits. Lyceum documents `X-RateLimit-*` and, on 429, `Retry-After`
// only in its oldest introduction, so each of them may be missing and each is read in every usual form.
import type { AnswerHeaders } from "./exchange.ts";

export interface LimitNotice {
  max: number | null;
  remaining: number | null;
  resetInMs: number | null;
  retryAfterMs: number | null;
}

/** No pause that Lyceum asks for is believed beyond a day: a broken header must not stop the service. */
export const LONGEST_PAUSE_MS = 86_400_000;

/** `wallAt` (epoch ms) stands in for the server's clock when the answer carries no `Date`. */
export function readLimits(headers: AnswerHeaders, wallAt: number): LimitNotice {
  const date = Date.parse(headers.get("date") ?? "");
  const serverAt = Number.isNaN(date) ? wallAt : date;
  return {
    max: count(headers.get("x-ratelimit-limit")),
    remaining: count(headers.get("x-ratelimit-remaining")),
    resetInMs: resetIn(headers.get("x-ratelimit-reset"), serverAt),
    retryAfterMs: retryAfter(headers.get("retry-after"), serverAt),
  };
}

function count(value: string | null): number | null {
  const digits = /^\s*(\d+)/.exec(value ?? "")?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Unix seconds as documented; a small number can only be meant as seconds from now. */
function resetIn(value: string | null, serverAt: number): number | null {
  const seconds = Number.parseFloat(value ?? "");
  if (Number.isNaN(seconds)) return null;
  return bounded(seconds > 1e9 ? seconds * 1000 - serverAt : seconds * 1000);
}

/** Seconds or an HTTP date. */
function retryAfter(value: string | null, serverAt: number): number | null {
  if (value === null) return null;
  if (/^\s*\d+(\.\d+)?\s*$/.test(value)) return bounded(Number(value) * 1000);
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : bounded(at - serverAt);
}

function bounded(ms: number): number {
  return Math.min(Math.max(Math.ceil(ms), 0), LONGEST_PAUSE_MS);
}
