// The phase `watching`: snapshots of a live execution, until a snapshot shows the end.

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

export function whileWatching(state: LiveState, fact: Fact, input: TransitionInput): Transition | null {
  const { run, execution, policy } = state;
  const { now, rules } = input;
  switch (fact.type) {
    case "accepted":
      return fact.found ? reattach(state, fact, now) : null;
    case "snapshot": {
      if (isEnd(fact.snapshot.status)) return endExecution(state, fact, fact.snapshot.status, input);
      const last = finalSnapshot(state, fact, input);
      return last === null
        ? updateLive(state, fact, input)
        : endExecution(state, { ...fact, snapshot: last }, "failed", input);
    }
    case "not_found": {
      if (isYoung(execution, now)) return unchanged(run, { ...execution, dueAt: nextSearchAt(now, rules) });
      const searched = afterLookupMiss(execution, fact, now, rules);
      if (searched.unseenMs < rules.inDoubtAfterMs || searched.callbackAt !== null)
        return unchanged(run, searched);
      return lost(run, searched, policy, input, "Lyceum accepted it and no longer knows it");
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

/** The marker was found under another id than the one in the answer to the start. */
function reattach(
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
    checkedAt: null,
    cancelSentAt: null,
    dueAt: now,
  };
  const data = { lyceum_execution_id: lyceumExecutionId, found: true };
  return { run, execution: found, events: [event(run, "execution.accepted", data, execution.id)] };
}

/**
 * Lyceum cannot abort the execution any more, though its status word shows no end: it is over past its timeout if the
 * word is unknown, and past the longest life whatever the word.
 */
export function finalSnapshot(
  { run, execution }: LiveState,
  { snapshot, isBeyondAbort }: Fact & { type: "snapshot" },
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
  { snapshot, askedAt, leaseUntil }: Fact & { type: "snapshot" },
  { now, rules }: TransitionInput,
): Transition {
  const status = snapshot.status ?? execution.status;
  const next: Execution = {
    ...execution,
    ...mergeSnapshot(execution, snapshot),
    rawStatus: snapshot.raw,
    status,
    unseenMs: 0,
    checkedAt: askedAt,
  };
  // A callback or a cancellation that came during the request is not answered by it.
  const isUrgent =
    cameAfter(execution.callbackAt, askedAt, now) ||
    (run.cancellation !== null && next.cancelSentAt === null);
  next.dueAt = isUrgent ? now : Math.max(nextCheckAt(next, run.timeoutS, now, rules), leaseUntil ?? 0);
  const events =
    status === execution.status
      ? []
      : [event(run, `execution.${status}`, { raw_status: snapshot.raw }, execution.id)];
  // End an execution after its longest life: its logs are out of reach, and it may still cost money.
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

/** Null if there is something to record; otherwise nothing needs to be written. */
export function nextCheckIfUnchanged(
  execution: Execution,
  run: Pick<Run, "timeoutS" | "cancellation">,
  snapshot: Snapshot,
  { now, rules }: Pick<TransitionInput, "now" | "rules">,
): number | null {
  const isSame =
    snapshot.raw === execution.rawStatus && (snapshot.status ?? execution.status) === execution.status;
  const isExpected = execution.callbackAt !== null || run.cancellation !== null;
  if (!isSame || isExpected || execution.unseenMs > 0 || isExpired(execution, now)) return null;
  return addsNothing(execution, snapshot) ? nextCheckAt(execution, run.timeoutS, now, rules) : null;
}

function endExecution(
  state: LiveState,
  { snapshot, by, leaseUntil }: Fact & { type: "snapshot" },
  status: ExecutionStatus,
  input: TransitionInput,
): Transition {
  const { run, execution, policy } = state;
  const { now } = input;
  const over: Execution = {
    ...execution,
    ...mergeSnapshot(execution, snapshot),
    ...mergeCost(execution, snapshot),
    rawStatus: snapshot.raw,
    status,
    phase: "collecting",
    dueAt: leaseUntil ?? now,
    detectedAt: now,
    detectedBy: by,
    timedOut: status !== "completed" && (snapshot.timedOut || ranPastTimeout(run, execution, snapshot)),
    error: snapshot.detail ?? null,
  };
  const reason = over.timedOut ? "timeout" : status === "completed" ? null : (snapshot.reason ?? null);
  const data = { raw_status: snapshot.raw, detected_by: by, return_code: over.returnCode, reason };
  const endEvents = [event(run, `execution.${status}`, data, execution.id)];
  const retry = retryIfAllowed(run, over, policy, input, reason);
  return withExecution(retry ?? concludeRun(run, over, reason), over, endEvents);
}

/** Lyceum's status word for a run past its time limit is not documented, so its own times decide. */
function ranPastTimeout(run: Run, execution: Execution, snapshot: Snapshot): boolean {
  if (run.cancellation !== null) return false;
  const startedAt = snapshot.startedAt ?? execution.startedAt;
  if (startedAt === null || snapshot.endedAt === undefined || snapshot.returnCode === 0) return false;
  return snapshot.endedAt - startedAt >= run.timeoutS * 1000 - CLOCK_AND_TIMER_MS;
}

/** Lyceum's timer ends a run, and its clock tells when: they differ by some milliseconds. */
const CLOCK_AND_TIMER_MS = 20;
