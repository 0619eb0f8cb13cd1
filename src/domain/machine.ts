// The state machine: every fact about a run or its execution enters here, and what follows from it comes out.
// Pure. `null` means that the fact changes nothing (it is stale, or says what is known). docs/state-machine.md
// draws it. A wake-up (`dueAt`) is part of the state: that is how a change and what it owes the world are one.
import type { EventDraft } from "./event.ts";
import type { DetectedBy, Execution, ExecutionStatus, Reading } from "./execution.ts";
import { hasEnded } from "./execution.ts";
import { afterEnd, afterLoss, backToQueue, cancelled, failed, settledAs } from "./outcome.ts";
import type { Cancellation, Policy, Run } from "./run.ts";
import { isTerminal } from "./run.ts";
import type { Rules } from "./schedule.ts";
import {
  answeredMs,
  firstCheckAt,
  nextCheckAt,
  nextOrphanSearchAt,
  nextSearchAt,
  ORPHAN_WATCH_MS,
  VISIBLE_AFTER_MS,
} from "./schedule.ts";

export type Fact =
  /** Dispatch takes the run; saved before the POST. */
  | { fact: "claimed"; executionId: string }
  /** Lyceum has it: by the start's answer, or found by its marker. */
  | {
      fact: "accepted";
      lyceumExecutionId: string;
      status: ExecutionStatus | null;
      raw: string;
      found: boolean;
    }
  | { fact: "refused"; status: number; detail: string }
  /** Certain that Lyceum did not take it: throttled, unauthorized, connection refused. */
  | { fact: "not_taken"; retryAt: number; reason: string }
  | { fact: "outcome_unknown"; detail: string }
  /** A look-up was answered, and Lyceum does not know the execution. */
  | { fact: "not_found" }
  /** A look-up or a check was not answered: says nothing. */
  | { fact: "unanswered"; retryAt: number }
  | { fact: "reading"; reading: Reading; by: DetectedBy; askedAt: number }
  | { fact: "callback" }
  | { fact: "cancel"; cancellation: Cancellation }
  | { fact: "cancel_sent" }
  /** An orphan was aborted, or found to have ended. */
  | { fact: "orphan_ended"; raw: string }
  | { fact: "collect_later"; dueAt: number }
  | { fact: "collected" };

export interface Situation {
  run: Run;
  execution: Execution | null;
  policy: Policy;
}

export interface Moment {
  now: number;
  rules: Rules;
  /** In [0, 1): spreads retries. */
  random: number;
  /** How long runs like this one took, if any ended lately. */
  expectedMs: number | null;
}

export interface Transition {
  run: Run;
  /** Null when the execution never came to be at Lyceum: its row goes away. */
  execution: Execution | null;
  events: EventDraft[];
}

export function transition(situation: Situation, fact: Fact, moment: Moment): Transition | null {
  if (fact.fact === "claimed") return claimed(situation, fact.executionId, moment);
  if (fact.fact === "cancel") return cancel(situation, fact.cancellation, moment);
  const { execution } = situation;
  if (execution === null) return null;
  const known: Known = { ...situation, execution };
  switch (execution.phase) {
    case "submitting":
      return whileSubmitting(known, fact, moment);
    case "watching":
      return whileWatching(known, fact, moment);
    case "collecting":
      return whileCollecting(known, fact, moment);
    case "orphan":
      return whileOrphan(known, fact, moment);
    case "closed":
      return null;
  }
}

type Known = Situation & { execution: Execution };

function claimed({ run }: Situation, executionId: string, { now, rules }: Moment): Transition | null {
  if (run.status !== "queued" || run.dueAt === null || run.dueAt > now || run.cancellation !== null)
    return null;
  const attempt = run.attempt + 1;
  return {
    run: { ...run, status: "active", attempt, dueAt: null, executionId, startedAt: run.startedAt ?? now },
    execution: newExecution(run, executionId, attempt, now, rules),
    events: [
      event(run, "run.active", { attempt }),
      event(run, "execution.submitting", { attempt }, executionId),
    ],
  };
}

function cancel(
  { run, execution }: Situation,
  cancellation: Cancellation,
  { now }: Moment,
): Transition | null {
  if (isTerminal(run.status) || run.status === "collecting") return null;
  if (run.status === "queued") return settledAs(cancelled({ ...run, cancellation }, now), execution);
  // A second request only ever hardens the first: stop may become abort.
  if (run.cancellation !== null && (run.cancellation.mode === "abort" || cancellation.mode === "stop"))
    return null;
  const due =
    execution === null || isInFlight(execution)
      ? execution
      : { ...execution, dueAt: now, cancelSentAt: null };
  return { run: { ...run, cancellation }, execution: due, events: [] };
}

function whileSubmitting(known: Known, fact: Fact, moment: Moment): Transition | null {
  const { run, execution, policy } = known;
  const { now, rules } = moment;
  switch (fact.fact) {
    case "accepted": {
      const urgent = execution.callbackAt !== null || run.cancellation !== null || isEnd(fact.status);
      return live(known, fact, urgent ? now : firstCheckAt(now, moment.expectedMs, rules), moment);
    }
    case "refused": {
      const closed: Execution = {
        ...execution,
        status: "rejected",
        phase: "closed",
        dueAt: null,
        error: fact.detail,
      };
      const error = {
        code: "rejected",
        detail: `Lyceum refused the request (${fact.status}): ${fact.detail}`,
      };
      const end = run.cancellation === null ? failed(run, error, now) : cancelled(run, now);
      return settledAs(end, closed, [
        event(run, "execution.rejected", { detail: fact.detail }, execution.id),
      ]);
    }
    case "not_taken":
      // Never came to be: the row goes, the attempt is given back.
      return backToQueue(
        { ...run, attempt: run.attempt - 1, executionId: null },
        null,
        fact.retryAt,
        fact.reason,
        now,
      );
    case "outcome_unknown": {
      if (execution.inDoubtAt !== null) return null;
      const inDoubt = { ...execution, inDoubtAt: now, dueAt: now, error: fact.detail };
      return {
        run,
        execution: inDoubt,
        events: [event(run, "execution.in_doubt", { detail: fact.detail }, execution.id)],
      };
    }
    case "not_found": {
      if (execution.inDoubtAt === null) return null;
      const looked = lookedFor(execution, now, rules);
      if (looked.unseenMs < rules.inDoubtAfterMs) return unchanged(run, looked);
      return lost(run, looked, policy, moment, "the submission can neither be confirmed nor ruled out");
    }
    case "unanswered":
      return unchanged(run, { ...execution, lookedAt: null, dueAt: fact.retryAt });
    case "callback":
      return unchanged(run, {
        ...execution,
        callbackAt: now,
        dueAt: isInFlight(execution) ? execution.dueAt : now,
      });
    default:
      return null;
  }
}

function whileWatching(known: Known, fact: Fact, moment: Moment): Transition | null {
  const { run, execution, policy } = known;
  const { now, rules } = moment;
  switch (fact.fact) {
    case "reading":
      return isEnd(fact.reading.status)
        ? ended(known, fact.reading, fact.reading.status, fact.by, moment)
        : stillLive(known, fact.reading, fact.askedAt, moment);
    case "not_found": {
      if (now - (execution.acceptedAt ?? now) < VISIBLE_AFTER_MS)
        return unchanged(run, { ...execution, dueAt: nextSearchAt(now, rules) });
      const looked = lookedFor(execution, now, rules);
      if (looked.unseenMs < rules.inDoubtAfterMs) return unchanged(run, looked);
      return lost(run, looked, policy, moment, "Lyceum accepted it and no longer knows it");
    }
    case "unanswered":
      return unchanged(run, { ...execution, lookedAt: null, dueAt: fact.retryAt });
    case "callback":
      return unchanged(run, { ...execution, callbackAt: now, dueAt: now });
    case "cancel_sent": {
      const sent = { ...execution, cancelSentAt: now };
      return unchanged(run, { ...sent, dueAt: nextCheckAt(sent, now, rules) });
    }
    default:
      return null;
  }
}

function whileCollecting({ run, execution }: Known, fact: Fact, { now }: Moment): Transition | null {
  if (fact.fact === "collect_later") return unchanged(run, { ...execution, dueAt: fact.dueAt });
  if (fact.fact !== "collected") return null;
  const closed: Execution = { ...execution, phase: "closed", dueAt: null };
  const isLast = run.status === "collecting" && run.executionId === execution.id;
  return isLast ? settledAs(afterEnd(run, execution, now), closed) : unchanged(run, closed);
}

function whileOrphan({ run, execution }: Known, fact: Fact, { now, rules }: Moment): Transition | null {
  switch (fact.fact) {
    case "accepted": {
      if (execution.lyceumExecutionId !== null) return null;
      const found = {
        ...execution,
        lyceumExecutionId: fact.lyceumExecutionId,
        rawStatus: fact.raw,
        dueAt: now,
      };
      const data = { lyceum_execution_id: fact.lyceumExecutionId, raw_status: fact.raw };
      return { run, execution: found, events: [event(run, "execution.orphaned", data, execution.id)] };
    }
    case "orphan_ended":
      return unchanged(run, { ...execution, phase: "closed", dueAt: null, rawStatus: fact.raw });
    case "not_found": {
      const looked = lookedFor(execution, now, rules);
      if (now - (execution.endedAt ?? now) >= ORPHAN_WATCH_MS)
        return unchanged(run, { ...looked, phase: "closed", dueAt: null });
      return unchanged(run, { ...looked, dueAt: nextOrphanSearchAt(now, rules) });
    }
    case "unanswered":
      return unchanged(run, { ...execution, dueAt: fact.retryAt });
    case "callback":
      return unchanged(run, { ...execution, callbackAt: now, dueAt: now });
    default:
      return null;
  }
}

function live(known: Known, fact: Fact & { fact: "accepted" }, dueAt: number, moment: Moment): Transition {
  const { run, execution } = known;
  const word = fact.status === null || hasEnded(fact.status) ? "pending" : fact.status;
  const accepted: Execution = {
    ...execution,
    phase: "watching",
    status: word,
    rawStatus: fact.raw,
    lyceumExecutionId: fact.lyceumExecutionId,
    acceptedAt: moment.now,
    expectedEndAt: moment.expectedMs === null ? null : moment.now + moment.expectedMs,
    unseenMs: 0,
    lookedAt: null,
    error: null,
    dueAt,
  };
  const data = { lyceum_execution_id: fact.lyceumExecutionId, found: fact.found };
  const events = [
    event(run, "execution.accepted", data, execution.id),
    event(run, `execution.${word}`, { raw_status: fact.raw }, execution.id),
  ];
  return { run, execution: accepted, events };
}

function stillLive(
  { run, execution }: Known,
  reading: Reading,
  askedAt: number,
  { now, rules }: Moment,
): Transition {
  const status = reading.status ?? execution.status;
  const next: Execution = {
    ...execution,
    ...measured(execution, reading),
    status,
    unseenMs: 0,
    lookedAt: null,
  };
  // A callback that came after the question was asked is newer than this answer.
  next.dueAt =
    execution.callbackAt !== null && execution.callbackAt > askedAt ? now : nextCheckAt(next, now, rules);
  const events =
    status === execution.status
      ? []
      : [event(run, `execution.${status}`, { raw_status: reading.raw }, execution.id)];
  return { run, execution: next, events };
}

function ended(
  known: Known,
  reading: Reading,
  status: ExecutionStatus,
  by: DetectedBy,
  moment: Moment,
): Transition {
  const { run, execution, policy } = known;
  const { now } = moment;
  const over: Execution = {
    ...execution,
    ...measured(execution, reading),
    status,
    phase: "collecting",
    dueAt: now,
    detectedAt: now,
    detectedBy: by,
    timedOut: reading.timedOut || ranPastTimeout(run, execution, reading, status),
    error: reading.detail ?? null,
  };
  const data = { raw_status: reading.raw, detected_by: by, return_code: over.returnCode };
  const news = [event(run, `execution.${status}`, data, execution.id)];
  const retry = afterLoss(run, over, policy, moment);
  if (retry !== null) return { ...retry, execution: over, events: [...news, ...retry.events] };
  return {
    run: { ...run, status: "collecting" },
    execution: over,
    events: [...news, event(run, "run.collecting", {})],
  };
}

function lost(run: Run, execution: Execution, policy: Policy, moment: Moment, why: string): Transition {
  const { now, rules } = moment;
  const gone: Execution = {
    ...execution,
    status: "lost",
    phase: "orphan",
    dueAt: nextOrphanSearchAt(now, rules),
    endedAt: now,
    error: why,
  };
  const news = event(run, "execution.lost", { detail: why }, execution.id);
  const retry = afterLoss(run, gone, policy, moment);
  if (retry !== null) return { ...retry, execution: gone, events: [news, ...retry.events] };
  const end =
    run.cancellation === null ? failed(run, { code: "lost", detail: why }, now) : cancelled(run, now);
  return settledAs(end, gone, [news]);
}

/** Lyceum's word for a run that hit its time limit is not documented; its own times tell. */
function ranPastTimeout(run: Run, execution: Execution, reading: Reading, status: ExecutionStatus): boolean {
  if (status === "completed" || run.cancellation !== null) return false;
  const startedAt = reading.startedAt ?? execution.startedAt;
  if (startedAt === null || reading.endedAt === undefined || reading.returnCode === 0) return false;
  return reading.endedAt - startedAt >= run.timeoutS * 1000;
}

function measured(execution: Execution, reading: Reading) {
  return {
    rawStatus: reading.raw,
    startedAt: reading.startedAt ?? execution.startedAt,
    endedAt: reading.endedAt ?? execution.endedAt,
    returnCode: reading.returnCode ?? execution.returnCode,
    cost: reading.cost ?? execution.cost,
    hardware: reading.hardware ?? execution.hardware,
  };
}

function lookedFor(execution: Execution, now: number, rules: Rules): Execution {
  const unseenMs = execution.unseenMs + answeredMs(execution, now, rules);
  return { ...execution, unseenMs, lookedAt: now, callbackAt: null, dueAt: nextSearchAt(now, rules) };
}

function isEnd(status: ExecutionStatus | null): status is ExecutionStatus {
  return status !== null && hasEnded(status);
}

/** Its POST may still be under way in some process: nobody else may conclude anything yet. */
function isInFlight(execution: Execution): boolean {
  return execution.phase === "submitting" && execution.inDoubtAt === null;
}

function unchanged(run: Run, execution: Execution): Transition {
  return { run, execution, events: [] };
}

function event(
  run: Run,
  type: EventDraft["type"],
  data: Record<string, unknown>,
  executionId?: string,
): EventDraft {
  return { type, jobId: run.jobId, runId: run.id, executionId, data };
}

function newExecution(run: Run, id: string, attempt: number, now: number, rules: Rules): Execution {
  return {
    id,
    runId: run.id,
    jobId: run.jobId,
    attempt,
    phase: "submitting",
    status: "submitting",
    rawStatus: null,
    version: 0,
    dueAt: now + rules.submitPatienceMs,
    lyceumExecutionId: null,
    submittedAt: now,
    acceptedAt: null,
    inDoubtAt: null,
    unseenMs: 0,
    lookedAt: null,
    callbackAt: null,
    expectedEndAt: null,
    cancelSentAt: null,
    startedAt: null,
    endedAt: null,
    detectedAt: null,
    detectedBy: null,
    timedOut: false,
    returnCode: null,
    cost: null,
    hardware: null,
    error: null,
  };
}
