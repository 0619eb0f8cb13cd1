// A change of state in the making: what every clause of the state machine is given and gives back.
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
  /** How long runs like this one took, if any ended lately. */
  expectedMs: number | null;
}

export interface Transition {
  run: Run;
  /** Null when the execution never came to be at Lyceum: its row goes away. */
  execution: Execution | null;
  events: EventDraft[];
}

/** A situation in which there is an execution. */
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

/** Its POST may still be under way in some process: nobody else may conclude anything yet. */
export function isInFlight(execution: Pick<Execution, "phase" | "inDoubtAt">): boolean {
  return execution.phase === "submitting" && execution.inDoubtAt === null;
}

/** A look-up was answered without it. A callback that came after the question was asked is still to be followed. */
export function afterLookupMiss(
  execution: Execution,
  { askedAt, searchedMs }: Fact & { type: "not_found" },
  now: number,
  rules: Rules,
): Execution {
  const unseenMs = execution.unseenMs + answeredMs(execution, now, rules, searchedMs);
  const looked = { ...execution, unseenMs, lookedAt: now };
  return cameAfter(execution.callbackAt, askedAt, now)
    ? { ...looked, dueAt: now }
    : { ...looked, callbackAt: null, dueAt: nextSearchAt(now, rules) };
}

/** The time until the next answer does not count, unless the search only goes on. */
export function unanswered(
  execution: Execution,
  { retryAt, isUnderWay }: Fact & { type: "unanswered" },
): Execution {
  return { ...execution, lookedAt: isUnderWay === true ? execution.lookedAt : null, dueAt: retryAt };
}

/** Whether a callback is newer than an answer. One from the future (the clock was set back) would be for ever. */
export function cameAfter(callbackAt: number | null, askedAt: number, now: number): boolean {
  return callbackAt !== null && callbackAt > askedAt && callbackAt <= now;
}

export function lost(
  run: Run,
  execution: Execution,
  policy: Policy,
  moment: TransitionInput,
  why: string,
): Transition {
  const { now, rules } = moment;
  const gone: Execution = {
    ...execution,
    status: "lost",
    phase: "orphan",
    dueAt: nextOrphanSearchAt(now, now, rules),
    endedAt: now,
    error: why,
  };
  const news = event(run, "execution.lost", { detail: why }, execution.id);
  const retry = retryIfAllowed(run, gone, policy, moment, null);
  if (retry !== null) return { ...retry, execution: gone, events: [news, ...retry.events] };
  const end =
    run.cancellation === null
      ? failed(run, { code: "lost", detail: why, reason: null }, now)
      : cancelled(run, now);
  return withExecution(end, gone, [news]);
}
