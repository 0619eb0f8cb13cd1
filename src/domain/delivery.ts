// The verdict on a delivery after an attempt: delivered, retried later, or given up.
import { exponentialMs } from "../lib/backoff.ts";

export interface Outcome {
  status: number | null;
  error: string | null;
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

/** @param attempts the current one included. @param random in [0, 1): spreads deliveries that failed together */
export function afterAttempt(attempts: number, outcome: Outcome, random: number): Verdict {
  if (hasArrived(outcome)) return { state: "delivered" };
  if (outcome.status === GONE) return { state: "failed", reason: "gone" };
  if (attempts >= MAX_ATTEMPTS) return { state: "failed", reason: "exhausted" };
  const backoffMs =
    exponentialMs(attempts, { firstMs: FIRST_MS, maxMs: MAX_MS, factor: 3 }) * (0.8 + 0.4 * random);
  const askedMs = Math.min(outcome.retryAfterMs ?? 0, MAX_MS);
  return { state: "pending", retryInMs: Math.round(Math.max(backoffMs, askedMs)) };
}

/** Only a 2xx counts. Redirects are not followed: they may lead to a forbidden address. */
export function hasArrived({ status }: Outcome): boolean {
  return status !== null && status >= 200 && status < 300;
}
