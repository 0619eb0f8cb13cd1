// The phase `submitting`: from the claim to the answer to the start, or to the end of the doubt.

import { type Doubt, type Execution, hasEnded } from "../execution.ts";
import { failureReason } from "../failure-reason.ts";
import type { Run } from "../run.ts";
import type { Fact } from "./fact.ts";
import { cancelled, failed, requeueOrCancel, withExecution } from "./run-outcome.ts";
import { nextCheckAt, type Rules, searchRules } from "./schedule.ts";
import {
  afterLookupMiss,
  event,
  isEnd,
  type LiveState,
  lost,
  type State,
  type Transition,
  type TransitionInput,
  unanswered,
  unchanged,
} from "./transition-types.ts";

export function claimed(
  { run }: State,
  executionId: string,
  { now, rules }: TransitionInput,
): Transition | null {
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

export function whileSubmitting(state: LiveState, fact: Fact, input: TransitionInput): Transition | null {
  const { run, execution, policy } = state;
  const { now, rules } = input;
  switch (fact.type) {
    case "accepted": {
      const urgent = execution.callbackAt !== null || run.cancellation !== null || isEnd(fact.status);
      return acceptStart(state, fact, urgent, input);
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
        reason: failureReason({ platform: [fact.detail] }),
      };
      const end = run.cancellation === null ? failed(run, error, now) : cancelled(run, now);
      return withExecution(end, closed, [
        event(run, "execution.rejected", { detail: fact.detail }, execution.id),
      ]);
    }
    case "not_taken": {
      return revertStart(state, fact.retryAt, fact.reason, now);
    }
    case "outcome_unknown":
      return execution.inDoubtAt === null ? inDoubt(state, "unanswered", fact.detail, now) : null;
    case "unavailable":
      return execution.doubt === "unavailable" ? null : inDoubt(state, "unavailable", fact.detail, now);
    case "not_found": {
      if (execution.inDoubtAt === null) return null;
      const search = searchRules(execution, rules);
      const searched = afterLookupMiss(execution, fact, now, search);
      if (searched.unseenMs < search.inDoubtAfterMs || searched.callbackAt !== null)
        return unchanged(run, searched);
      if (execution.doubt === "unavailable") return revertStart(state, now, "unavailable", now);
      return lost(run, searched, policy, input, "the submission can neither be confirmed nor ruled out");
    }
    case "unanswered":
      return unchanged(run, unanswered(execution, fact));
    default:
      return null;
  }
}

/** A start that is already in doubt may still be answered late. */
function inDoubt({ run, execution }: LiveState, doubt: Doubt, detail: string, now: number): Transition {
  const isNew = execution.inDoubtAt === null;
  const events = isNew ? [event(run, "execution.in_doubt", { detail }, execution.id)] : [];
  const inDoubtAt = execution.inDoubtAt ?? now;
  return { run, execution: { ...execution, inDoubtAt, doubt, dueAt: now, error: detail }, events };
}

/** The start was not accepted: its row is deleted, the attempt does not count, the previous execution is the last again. */
function revertStart(
  { run, execution }: LiveState,
  retryAt: number,
  reason: string,
  now: number,
): Transition {
  const attempt = run.attempt - 1;
  const startedAt = attempt === 0 ? null : run.startedAt;
  const back = { ...run, attempt, startedAt, executionId: execution.previousId };
  return requeueOrCancel(back, null, retryAt, reason, now);
}

function acceptStart(
  state: LiveState,
  fact: Fact & { type: "accepted" },
  urgent: boolean,
  input: TransitionInput,
): Transition {
  const { run, execution } = state;
  const { now, expectedMs, rules } = input;
  const word = fact.status === null || hasEnded(fact.status) ? "pending" : fact.status;
  const accepted: Execution = {
    ...execution,
    phase: "watching",
    status: word,
    rawStatus: fact.raw,
    lyceumExecutionId: fact.lyceumExecutionId,
    acceptedAt: now,
    streamingUrl: fact.streamingUrl ?? execution.streamingUrl,
    expectedEndAt: expectedMs === null ? null : now + Math.min(expectedMs, run.timeoutS * 1000 + STARTUP_MS),
    unseenMs: 0,
    checkedAt: null,
    error: null,
  };
  accepted.dueAt = urgent ? now : nextCheckAt(accepted, run.timeoutS, now, rules);
  const data = { lyceum_execution_id: fact.lyceumExecutionId, found: fact.found };
  const events = [
    event(run, "execution.accepted", data, execution.id),
    event(run, `execution.${word}`, { raw_status: fact.raw }, execution.id),
  ];
  return { run, execution: accepted, events };
}

/** Time before the timeout begins to count: queueing, provisioning, image pull. */
const STARTUP_MS = 5 * 60_000;

function newExecution(run: Run, id: string, attempt: number, now: number, rules: Rules): Execution {
  return {
    id,
    runId: run.id,
    jobId: run.jobId,
    attempt,
    previousId: run.executionId,
    phase: "submitting",
    status: "submitting",
    rawStatus: null,
    version: 0,
    dueAt: now + rules.submitPatienceMs,
    lyceumExecutionId: null,
    streamingUrl: null,
    submittedAt: now,
    acceptedAt: null,
    inDoubtAt: null,
    doubt: null,
    unseenMs: 0,
    checkedAt: null,
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
    costSource: null,
    hardware: null,
    error: null,
  };
}
