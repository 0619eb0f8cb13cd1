// The schedule of checks and searches: pure arithmetic over bounds.

import { isPaused } from "../../lib/clock.ts";
import type { CallbackMode } from "../callback-health.ts";
import type { Execution } from "../execution.ts";

export interface Rules {
  pollMinMs: number;
  pollMaxMs: number;
  callbackGraceMs: number;
  inDoubtAfterMs: number;
  /** A start without an answer is in doubt after this: longer than the client's time-out. */
  submitPatienceMs: number;
  /** While callbacks are healthy, executions are checked at the longest interval only. */
  callbacks: CallbackMode;
}

const SECOND = 1000;
const HURRY_MS = 60 * SECOND;
/** A lost execution is searched for this long. */
export const ORPHAN_WATCH_MS = 60 * 60 * SECOND;
/** A record may be invisible this long after the start; until then a 404 says nothing. */
const VISIBLE_AFTER_MS = 60 * SECOND;

/** After a snapshot, or after the acceptance. */
export function nextCheckAt(execution: Execution, timeoutS: number, now: number, rules: Rules): number {
  const { callbackAt, cancelSentAt, expectedEndAt } = execution;
  // A callback or an abort says that the end is near: check every second at first, then at growing intervals.
  const hint = Math.max(callbackAt ?? 0, cancelSentAt ?? 0);
  if (now - hint < HURRY_MS) return now + clamp(now - hint, SECOND, rules.pollMinMs);

  const since = execution.acceptedAt ?? now;
  if (rules.callbacks === "healthy") {
    // Callbacks are reliable: check once when the callback is overdue, then at the longest interval.
    const untilOverdueMs = overdueAt(execution, timeoutS, now, rules) - now;
    return (
      now + (untilOverdueMs > 0 ? clamp(untilOverdueMs, rules.pollMinMs, rules.pollMaxMs) : rules.pollMaxMs)
    );
  }
  const untilExpectedMs = Math.max(0, (expectedEndAt ?? now) - now);
  return now + clamp(Math.max(untilExpectedMs, (now - since) / 4), rules.pollMinMs, rules.pollMaxMs);
}

export function isYoung({ acceptedAt }: Pick<Execution, "acceptedAt">, now: number): boolean {
  return acceptedAt === null || isPaused(acceptedAt + VISIBLE_AFTER_MS, VISIBLE_AFTER_MS, now);
}

export function overdueAt(
  { acceptedAt, expectedEndAt }: Pick<Execution, "acceptedAt" | "expectedEndAt">,
  timeoutS: number,
  now: number,
  { callbackGraceMs }: Pick<Rules, "callbackGraceMs">,
): number {
  return (expectedEndAt ?? (acceptedAt ?? now) + timeoutS * SECOND) + callbackGraceMs;
}

/** Lyceum must have ended the execution by now, unless it began late. */
export function isPastTimeout(
  { acceptedAt, startedAt }: Pick<Execution, "acceptedAt" | "startedAt">,
  timeoutS: number,
  now: number,
  { callbackGraceMs }: Pick<Rules, "callbackGraceMs">,
): boolean {
  return now - (startedAt ?? acceptedAt ?? now) >= timeoutS * SECOND + callbackGraceMs;
}

/** The rules of the search for a start in doubt. After a 503 a short search only has to confirm Lyceum's answer. */
export function searchRules<R extends Pick<Rules, "inDoubtAfterMs">>(
  { phase, doubt }: Execution,
  rules: R,
): R {
  if (phase !== "submitting" || doubt !== "unavailable") return rules;
  return { ...rules, inDoubtAfterMs: Math.min(rules.inDoubtAfterMs, UNAVAILABLE_SEARCH_MS) };
}

const UNAVAILABLE_SEARCH_MS = 30 * SECOND;

/** The next search for an execution in doubt or invisible: several searches fit into the grace. */
export function nextSearchAt(now: number, rules: Pick<Rules, "inDoubtAfterMs">): number {
  return now + clamp(rules.inDoubtAfterMs / 8, SECOND, 15 * SECOND);
}

/** The next search for a lost execution: the longer it is lost, the rarer the searches. */
export function nextOrphanSearchAt(lostAt: number, now: number, rules: Pick<Rules, "pollMaxMs">): number {
  return now + Math.round(Math.max(rules.pollMaxMs, 60 * SECOND, (now - lostAt) / 8));
}

/**
 * The time since the last look-up in which Lyceum answered and did not know the execution; 0 if that one was not
 * answered. At most two intervals beyond the search itself: our own downtime proves nothing.
 */
export function answeredMs(execution: Execution, now: number, rules: Rules, searchedMs = 0): number {
  if (execution.checkedAt === null) return 0;
  const interval = nextSearchAt(now, rules) - now;
  return clamp(now - execution.checkedAt, 0, searchedMs + 2 * interval);
}

/** Whole milliseconds: times are stored as integers. */
function clamp(value: number, min: number, max: number): number {
  return Math.round(Math.max(min, Math.min(max, value)));
}
