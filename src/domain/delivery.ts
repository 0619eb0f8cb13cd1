// What becomes of a delivery after an attempt: it arrived, is tried again later, or is given up.

/** What an attempt came to: the answer's status, or the name of what stood in its way. */
export interface Outcome {
  status: number | null;
  error: string | null;
  /** The answer's Retry-After. */
  retryAfterMs: number | null;
}

export type GivingUp = "exhausted" | "gone" | "webhook_disabled";
export type Verdict =
  | { state: "delivered" }
  | { state: "pending"; retryInMs: number }
  | { state: "failed"; reason: GivingUp };

/** 5 s, then three times as long each time up to 7 h: with the first one 12 attempts in about 25 hours. */
export const MAX_ATTEMPTS = 12;
const FIRST_MS = 5_000;
const MAX_MS = 7 * 60 * 60_000;
const GONE = 410;

/** @param attempts this one included. @param random in [0, 1): those that failed together part ways. */
export function afterAttempt(attempts: number, outcome: Outcome, random: number): Verdict {
  if (hasArrived(outcome)) return { state: "delivered" };
  if (outcome.status === GONE) return { state: "failed", reason: "gone" };
  if (attempts >= MAX_ATTEMPTS) return { state: "failed", reason: "exhausted" };
  const backoffMs = Math.min(FIRST_MS * 3 ** (attempts - 1), MAX_MS) * (0.8 + 0.4 * random);
  const askedMs = Math.min(outcome.retryAfterMs ?? 0, MAX_MS);
  return { state: "pending", retryInMs: Math.round(Math.max(backoffMs, askedMs)) };
}

/** Only 2xx: a redirect is not followed, it might lead where the URL itself must not. */
export function hasArrived({ status }: Outcome): boolean {
  return status !== null && status >= 200 && status < 300;
}
