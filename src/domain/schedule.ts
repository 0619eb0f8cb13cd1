// When to look next: pure arithmetic over bounds, so that every wake-up has one place to be explained.
import type { Execution } from "./execution.ts";

export interface Rules {
  pollMinMs: number;
  pollMaxMs: number;
  callbackGraceMs: number;
  inDoubtAfterMs: number;
  /** How long a start's answer is awaited before the submission counts as in doubt: above the client's time-out. */
  submitPatienceMs: number;
  /** Whether callbacks have lately been seen to arrive: then runs are left alone until one is overdue. */
  callbacks: "healthy" | "unproven" | "absent";
}

const SECOND = 1000;
const HURRY_MS = 60 * SECOND;
/** A lost execution is looked for this long before nobody expects it any more. */
export const ORPHAN_WATCH_MS = 60 * 60 * SECOND;
/** A record may be invisible shortly after the start; a 404 says nothing until then. */
export const VISIBLE_AFTER_MS = 60 * SECOND;

/** The first check of an execution that was just accepted. */
export function firstCheckAt(now: number, expectedMs: number | null, rules: Rules): number {
  return nextRoutineAt(now, now, expectedMs === null ? null : now + expectedMs, rules);
}

/** The next check of a live execution after a reading that was not terminal. */
export function nextCheckAt(execution: Execution, now: number, rules: Rules): number {
  const { callbackAt, cancelSentAt, acceptedAt } = execution;
  // Something said that the end is near: look again after as long as we have waited since, at first every second.
  const hint = Math.max(callbackAt ?? 0, cancelSentAt ?? 0);
  if (now - hint < HURRY_MS) return now + clamp(now - hint, SECOND, rules.pollMinMs);
  return nextRoutineAt(now, acceptedAt ?? now, execution.expectedEndAt, rules);
}

/** How often an in-doubt or invisible execution is looked for: several tries within the grace. */
export function nextSearchAt(now: number, rules: Rules): number {
  return now + clamp(rules.inDoubtAfterMs / 8, SECOND, 15 * SECOND);
}

export function nextOrphanSearchAt(now: number, rules: Rules): number {
  return now + Math.max(rules.pollMaxMs, 60 * SECOND);
}

/**
 * How much of the time since the last answered look-up counts as "Lyceum answered and did not know it".
 * None if the last one was not answered, and never more than two intervals: our own downtime proves nothing.
 */
export function answeredMs(execution: Execution, now: number, rules: Rules): number {
  if (execution.lookedAt === null) return 0;
  const interval = nextSearchAt(now, rules) - now;
  return clamp(now - execution.lookedAt, 0, 2 * interval);
}

function nextRoutineAt(now: number, since: number, expectedEndAt: number | null, rules: Rules): number {
  if (rules.callbacks === "healthy" && expectedEndAt !== null) {
    const overdueAt = expectedEndAt + rules.callbackGraceMs;
    if (overdueAt > now) return Math.max(overdueAt, now + rules.pollMinMs);
  }
  const untilExpected = expectedEndAt !== null && expectedEndAt > now ? expectedEndAt - now : 0;
  const age = (now - since) / 4;
  return (
    now + clamp(untilExpected > 0 ? Math.max(untilExpected, age) : age, rules.pollMinMs, rules.pollMaxMs)
  );
}

function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, value));
}
