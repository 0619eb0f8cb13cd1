// Types and helpers of the state machine's clauses.
import type { EventDraft } from "../event.ts";
import { type Execution, type ExecutionStatus, hasEnded } from "../execution.ts";
import type { Policy, Run } from "../run.ts";
import type { Fact } from "./fact.ts";
import { cancelled, failed, retryIfAllowed, withExecution } from "./run-outcome.ts";
import { answeredMs, nextOrphanSearchAt, nextSearchAt, type Rules } from "./schedule.ts";

export interface State {
  run: Run;
  execution: Execution | null;
  policy: Policy;
}

export interface TransitionInput {
  now: number;
  rules: Rules;
  /** In [0, 1): spreads retries. */
  random: number;
  expectedMs: number | null;
}

export interface Transition {
  run: Run;
  /** Null: the start was not accepted, and the execution's row is deleted. */
  execution: Execution | null;
  events: EventDraft[];
}

export type LiveState = State & { execution: Execution };

export function event(
  run: Run,
  type: EventDraft["type"],
  data: Record<string, unknown>,
  executionId?: string,
): EventDraft {
  return { type, jobId: run.jobId, runId: run.id, executionId, data };
}

export function unchanged(run: Run, execution: Execution): Transition {
  return { run, execution, events: [] };
}

export function isEnd(status: ExecutionStatus | null): status is ExecutionStatus {
  return status !== null && hasEnded(status);
}

/** The start's POST may still be under way in some process, so that nothing may be concluded. */
export function isInFlight(execution: Pick<Execution, "phase" | "inDoubtAt">): boolean {
  return execution.phase === "submitting" && execution.inDoubtAt === null;
}

/** Lyceum does not know the execution. A callback that came after the request is still to check. */
export function afterLookupMiss(
  execution: Execution,
  { askedAt, searchedMs }: Fact & { type: "not_found" },
  now: number,
  rules: Rules,
): Execution {
  const unseenMs = execution.unseenMs + answeredMs(execution, now, rules, searchedMs);
  const searched = { ...execution, unseenMs, checkedAt: now };
  return cameAfter(execution.callbackAt, askedAt, now)
    ? { ...searched, dueAt: now }
    : { ...searched, callbackAt: null, dueAt: nextSearchAt(now, rules) };
}

/** The time until the next answer does not count, unless the search is under way. */
export function unanswered(
  execution: Execution,
  { retryAt, isUnderWay }: Fact & { type: "unanswered" },
): Execution {
  return { ...execution, checkedAt: isUnderWay === true ? execution.checkedAt : null, dueAt: retryAt };
}

/** A callback time in the future (clock set back) does not count: it would stay newer for ever. */
export function cameAfter(callbackAt: number | null, askedAt: number, now: number): boolean {
  return callbackAt !== null && callbackAt > askedAt && callbackAt <= now;
}

export function lost(
  run: Run,
  execution: Execution,
  policy: Policy,
  input: TransitionInput,
  why: string,
): Transition {
  const { now, rules } = input;
  const gone: Execution = {
    ...execution,
    status: "lost",
    phase: "orphan",
    dueAt: nextOrphanSearchAt(now, now, rules),
    endedAt: now,
    error: why,
  };
  const lostEvent = event(run, "execution.lost", { detail: why }, execution.id);
  const retry = retryIfAllowed(run, gone, policy, input, null);
  if (retry !== null) return { ...retry, execution: gone, events: [lostEvent, ...retry.events] };
  const end =
    run.cancellation === null
      ? failed(run, { code: "lost", detail: why, reason: null }, now)
      : cancelled(run, now);
  return withExecution(end, gone, [lostEvent]);
}
