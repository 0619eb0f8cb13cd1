// When to look next: pure arithmetic over bounds, so that every wake-up has one place to be explained.

import { isPaused } from "../../lib/clock.ts";
import type { CallbackMode } from "../callback-health.ts";
import type { Execution } from "../execution.ts";

export interface Rules {
  pollMinMs: number;
  pollMaxMs: number;
  callbackGraceMs: number;
  inDoubtAfterMs: number;
  /** How long a start's answer is awaited before the submission counts as in doubt: above the client's time-out. */
  submitPatienceMs: number;
  /** While callbacks are seen to arrive, runs are looked at no more often than once in the longest interval. */
  callbacks: CallbackMode;
}

const SECOND = 1000;
const HURRY_MS = 60 * SECOND;
/** A lost execution is looked for this long before nobody expects it any more. */
export const ORPHAN_WATCH_MS = 60 * 60 * SECOND;
/** A record may be invisible shortly after the start; a 404 says nothing until then. */
const VISIBLE_AFTER_MS = 60 * SECOND;

/** The next check of a live execution after a reading (or the acceptance) that was not terminal. */
export function nextCheckAt(execution: Execution, timeoutS: number, now: number, rules: Rules): number {
  const { callbackAt, cancelSentAt, expectedEndAt } = execution;
  // Something said that the end is near: look again after as long as we have waited since, at first every second.
  const hint = Math.max(callbackAt ?? 0, cancelSentAt ?? 0);
  if (now - hint < HURRY_MS) return now + clamp(now - hint, SECOND, rules.pollMinMs);

  const since = execution.acceptedAt ?? now;
  if (rules.callbacks === "healthy") {
    // Callbacks can be relied on: one look when this one is overdue, and the longest interval in case it is lost.
    const untilOverdueMs = overdueAt(execution, timeoutS, now, rules) - now;
    return (
      now + (untilOverdueMs > 0 ? clamp(untilOverdueMs, rules.pollMinMs, rules.pollMaxMs) : rules.pollMaxMs)
    );
  }
  const untilExpectedMs = Math.max(0, (expectedEndAt ?? now) - now);
  return now + clamp(Math.max(untilExpectedMs, (now - since) / 4), rules.pollMinMs, rules.pollMaxMs);
}

/** Whether Lyceum may not show the execution yet. */
export function isYoung({ acceptedAt }: Pick<Execution, "acceptedAt">, now: number): boolean {
  return acceptedAt === null || isPaused(acceptedAt + VISIBLE_AFTER_MS, VISIBLE_AFTER_MS, now);
}

/** When the callback of a live execution is overdue. */
export function overdueAt(
  { acceptedAt, expectedEndAt }: Pick<Execution, "acceptedAt" | "expectedEndAt">,
  timeoutS: number,
  now: number,
  { callbackGraceMs }: Pick<Rules, "callbackGraceMs">,
): number {
  return (expectedEndAt ?? (acceptedAt ?? now) + timeoutS * SECOND) + callbackGraceMs;
}

/** True when Lyceum must have ended the execution by now, unless the execution began late. */
export function isPastTimeout(
  { acceptedAt, startedAt }: Pick<Execution, "acceptedAt" | "startedAt">,
  timeoutS: number,
  now: number,
  { callbackGraceMs }: Pick<Rules, "callbackGraceMs">,
): boolean {
  return now - (startedAt ?? acceptedAt ?? now) >= timeoutS * SECOND + callbackGraceMs;
}

/**
 * The rules by which a start in doubt is searched for. What Lyceum said it did not take needs a short search: it only
 * has to confirm that.
 */
export function searchRules<R extends Pick<Rules, "inDoubtAfterMs">>({ doubt }: Execution, rules: R): R {
  if (doubt !== "unavailable") return rules;
  return { ...rules, inDoubtAfterMs: Math.min(rules.inDoubtAfterMs, UNAVAILABLE_SEARCH_MS) };
}

const UNAVAILABLE_SEARCH_MS = 30 * SECOND;

/** How often an in-doubt or invisible execution is looked for: several tries within the grace. */
export function nextSearchAt(now: number, rules: Pick<Rules, "inDoubtAfterMs">): number {
  return now + clamp(rules.inDoubtAfterMs / 8, SECOND, 15 * SECOND);
}

/** The longer a lost execution has not shown up, the less often it is looked for. */
export function nextOrphanSearchAt(lostAt: number, now: number, rules: Pick<Rules, "pollMaxMs">): number {
  return now + Math.round(Math.max(rules.pollMaxMs, 60 * SECOND, (now - lostAt) / 8));
}

/**
 * How much of the time since the last answered look-up counts as "Lyceum answered and did not know it".
 * None if the last one was not answered, and never more than two intervals beyond the search itself: our own downtime
 * proves nothing.
 */
export function answeredMs(execution: Execution, now: number, rules: Rules, searchedMs = 0): number {
  if (execution.lookedAt === null) return 0;
  const interval = nextSearchAt(now, rules) - now;
  return clamp(now - execution.lookedAt, 0, searchedMs + 2 * interval);
}

/** Whole milliseconds: times are stored as integers. */
function clamp(value: number, min: number, max: number): number {
  return Math.round(Math.max(min, Math.min(max, value)));
}
