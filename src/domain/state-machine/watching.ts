// While Lyceum has it: readings, until one says that it is over.

import type { Execution, ExecutionStatus, Snapshot } from "../execution.ts";
import type { Run } from "../run.ts";
import { addsNothing, mergeCost, mergeSnapshot } from "../snapshot-merge.ts";
import type { Fact } from "./fact.ts";
import { concludeRun, retryIfAllowed, withExecution } from "./run-outcome.ts";
import { isPastTimeout, isYoung, nextCheckAt, nextSearchAt } from "./schedule.ts";
import {
  afterLookupMiss,
  cameAfter,
  event,
  isEnd,
  type LiveState,
  lost,
  type Transition,
  type TransitionInput,
  unanswered,
  unchanged,
} from "./transition-types.ts";

export function whileWatching(known: LiveState, fact: Fact, moment: TransitionInput): Transition | null {
  const { run, execution, policy } = known;
  const { now, rules } = moment;
  switch (fact.type) {
    case "accepted":
      return fact.found ? reattached(known, fact, now) : null;
    case "reading": {
      if (isEnd(fact.snapshot.status)) return endExecution(known, fact, fact.snapshot.status, moment);
      const last = lastReading(known, fact, moment);
      return last === null
        ? updateLive(known, fact, moment)
        : endExecution(known, { ...fact, snapshot: last }, "failed", moment);
    }
    case "not_found": {
      if (isYoung(execution, now)) return unchanged(run, { ...execution, dueAt: nextSearchAt(now, rules) });
      const looked = afterLookupMiss(execution, fact, now, rules);
      if (looked.unseenMs < rules.inDoubtAfterMs || looked.callbackAt !== null) return unchanged(run, looked);
      return lost(run, looked, policy, moment, "Lyceum accepted it and no longer knows it");
    }
    case "unanswered":
      return unchanged(run, unanswered(execution, fact));
    case "cancel_sent": {
      // A stop that was hardened to an abort meanwhile leaves the abort still to be sent.
      if (fact.mode !== run.cancellation?.mode) return null;
      const sent = { ...execution, cancelSentAt: now };
      return unchanged(run, { ...sent, dueAt: nextCheckAt(sent, run.timeoutS, now, rules) });
    }
    default:
      return null;
  }
}

/** The id that the start was answered with is not the execution's: its marker was found under another one. */
function reattached(
  { run, execution }: LiveState,
  fact: Fact & { type: "accepted" },
  now: number,
): Transition | null {
  const { lyceumExecutionId, raw } = fact;
  if (lyceumExecutionId === execution.lyceumExecutionId) return null;
  const found: Execution = {
    ...execution,
    lyceumExecutionId,
    rawStatus: raw,
    unseenMs: 0,
    lookedAt: null,
    cancelSentAt: null,
    dueAt: now,
  };
  const data = { lyceum_execution_id: lyceumExecutionId, found: true };
  return { run, execution: found, events: [event(run, "execution.accepted", data, execution.id)] };
}

/**
 * A word that is not known, without any end, stays alive. Past the timeout it is over once Lyceum has nothing to abort
 * any more; after the longest life that holds for every word.
 */
export function lastReading(
  { run, execution }: LiveState,
  { snapshot, isBeyondAbort }: Fact & { type: "reading" },
  { now, rules }: TransitionInput,
): Snapshot | null {
  if (isBeyondAbort !== true) return null;
  const started = { ...execution, startedAt: snapshot.startedAt ?? execution.startedAt };
  const isPast = snapshot.status === null && isPastTimeout(started, run.timeoutS, now, rules);
  if (!isPast && !isExpired(execution, now)) return null;
  const detail = `Lyceum has nothing to abort any more; its last word for the execution is "${snapshot.raw}"`;
  return { ...snapshot, detail: snapshot.detail ?? detail };
}

function updateLive(
  { run, execution }: LiveState,
  { snapshot, askedAt, heldUntil }: Fact & { type: "reading" },
  { now, rules }: TransitionInput,
): Transition {
  const status = snapshot.status ?? execution.status;
  const next: Execution = {
    ...execution,
    ...mergeSnapshot(execution, snapshot),
    rawStatus: snapshot.raw,
    status,
    unseenMs: 0,
    lookedAt: askedAt,
  };
  // What came while the question was under way is not answered by it: a callback, a cancellation.
  const isUrgent =
    cameAfter(execution.callbackAt, askedAt, now) ||
    (run.cancellation !== null && next.cancelSentAt === null);
  next.dueAt = isUrgent ? now : Math.max(nextCheckAt(next, run.timeoutS, now, rules), heldUntil ?? 0);
  const events =
    status === execution.status
      ? []
      : [event(run, `execution.${status}`, { raw_status: snapshot.raw }, execution.id)];
  // Nothing waits for ever: its logs are out of reach by now, and it may still cost money.
  const isAborted = run.cancellation?.mode === "abort";
  if (!isAborted && isExpired(execution, now)) {
    const cancellation = { mode: "abort", cause: run.cancellation?.cause ?? "expired" } as const;
    return { run: { ...run, cancellation }, execution: { ...next, cancelSentAt: null, dueAt: now }, events };
  }
  return { run, execution: next, events };
}

const MAX_LIFE_MS = 7 * 24 * 3_600_000;

export function isExpired({ acceptedAt, submittedAt }: Execution, now: number): boolean {
  return now - (acceptedAt ?? submittedAt) >= MAX_LIFE_MS;
}

/**
 * When to look again at a live execution that a reading shows just as it is known: nothing would follow from noting it
 * but that. Null when there is more to it.
 */
export function nextCheckIfUnchanged(
  execution: Execution,
  run: Pick<Run, "timeoutS" | "cancellation">,
  reading: Snapshot,
  { now, rules }: Pick<TransitionInput, "now" | "rules">,
): number | null {
  const isSame =
    reading.raw === execution.rawStatus && (reading.status ?? execution.status) === execution.status;
  const isExpected = execution.callbackAt !== null || run.cancellation !== null;
  if (!isSame || isExpected || execution.unseenMs > 0 || isExpired(execution, now)) return null;
  return addsNothing(execution, reading) ? nextCheckAt(execution, run.timeoutS, now, rules) : null;
}

function endExecution(
  known: LiveState,
  { snapshot, by, heldUntil }: Fact & { type: "reading" },
  status: ExecutionStatus,
  moment: TransitionInput,
): Transition {
  const { run, execution, policy } = known;
  const { now } = moment;
  const over: Execution = {
    ...execution,
    ...mergeSnapshot(execution, snapshot),
    ...mergeCost(execution, snapshot),
    rawStatus: snapshot.raw,
    status,
    phase: "collecting",
    dueAt: heldUntil ?? now,
    detectedAt: now,
    detectedBy: by,
    timedOut: status !== "completed" && (snapshot.timedOut || ranPastTimeout(run, execution, snapshot)),
    error: snapshot.detail ?? null,
  };
  const reason = over.timedOut ? "timeout" : status === "completed" ? null : (snapshot.reason ?? null);
  const data = { raw_status: snapshot.raw, detected_by: by, return_code: over.returnCode, reason };
  const news = [event(run, `execution.${status}`, data, execution.id)];
  const retry = retryIfAllowed(run, over, policy, moment, reason);
  return withExecution(retry ?? concludeRun(run, over, reason), over, news);
}

/** Lyceum's word for a run that hit its time limit is not documented; its own times tell. */
function ranPastTimeout(run: Run, execution: Execution, reading: Snapshot): boolean {
  if (run.cancellation !== null) return false;
  const startedAt = reading.startedAt ?? execution.startedAt;
  if (startedAt === null || reading.endedAt === undefined || reading.returnCode === 0) return false;
  return reading.endedAt - startedAt >= run.timeoutS * 1000 - CLOCK_AND_TIMER_MS;
}

/** What ends a run is a timer, what tells when is a clock: they differ by some milliseconds. */
const CLOCK_AND_TIMER_MS = 20;
