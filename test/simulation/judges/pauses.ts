// Computes how long an answer keeps the service from asking again.
import type { Answer } from "../call.ts";

const SECOND = 1_000;
/** No pause that is asked for is believed for longer than an hour, and it is spread a little. */
export const MAX_PAUSE_MS = 66 * 60 * SECOND;
const HOUR_S = 3_600;

export function pauseOf({ status, headers = {} }: Answer): number {
  const isUsedUp = Number.parseFloat(headers["x-ratelimit-remaining"] ?? "1") <= 0;
  const isNothing = Number.parseFloat(headers["x-ratelimit-limit"] ?? "1") <= 0;
  if (status !== 429) return isUsedUp || isNothing ? MAX_PAUSE_MS : 0;
  const seconds = Number(headers["retry-after"] ?? Number.NaN);
  return seconds <= HOUR_S ? seconds * 1_100 + 60 * SECOND : MAX_PAUSE_MS;
}
