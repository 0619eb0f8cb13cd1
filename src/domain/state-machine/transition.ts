// The state machine: a pure function from a state and a fact to the next state; null if the fact changes nothing.
// The wake-up (`dueAt`) is part of the state. docs/state-machine.md draws the machine.

import type { Execution } from "../execution.ts";
import { type Cancellation, isTerminal } from "../run.ts";
import { whileCollecting, whileOrphan } from "./collecting-and-orphan.ts";
import type { Fact } from "./fact.ts";
import { cancelled, failed, withExecution } from "./run-outcome.ts";
import { claimed, whileSubmitting } from "./submitting.ts";
import {
  isInFlight,
  type LiveState,
  type State,
  type Transition,
  type TransitionInput,
  unchanged,
} from "./transition-types.ts";
import { whileWatching } from "./watching.ts";

export function transition(state: State, fact: Fact, input: TransitionInput): Transition | null {
  if (fact.type === "claimed") return claimed(state, fact.executionId, input);
  if (fact.type === "cancel") return cancel(state, fact.cancellation, input);
  if (fact.type === "over_budget") return overBudget(state, input);
  const { execution } = state;
  if (execution === null) return null;
  if (fact.type === "callback") return afterCallback(state, execution, input.now);
  const liveState: LiveState = { ...state, execution };
  switch (execution.phase) {
    case "submitting":
      return whileSubmitting(liveState, fact, input);
    case "watching":
      return andCollected(state, fact, whileWatching(liveState, fact, input), input);
    case "collecting":
      return whileCollecting(liveState, fact, input);
    case "orphan":
      return whileOrphan(liveState, fact, input);
    case "closed":
      return null;
  }
}

/** The artifacts may be stored with the end. */
function andCollected(
  state: State,
  fact: Fact,
  moved: Transition | null,
  input: TransitionInput,
): Transition | null {
  if (fact.type !== "snapshot" || fact.thenCollected === undefined) return moved;
  if (moved?.execution?.phase !== "collecting") return moved;
  const { run, execution, events } = moved;
  const collected = whileCollecting({ ...state, run, execution }, fact.thenCollected, input);
  return collected === null ? moved : { ...collected, events: [...events, ...collected.events] };
}

/** Makes the execution's check due. While the start may still be under way, its answer comes first. */
export function applyCallback(
  execution: Pick<Execution, "phase" | "inDoubtAt" | "dueAt">,
  now: number,
): Pick<Execution, "callbackAt" | "dueAt"> | null {
  if (execution.phase === "collecting" || execution.phase === "closed") return null;
  return { callbackAt: now, dueAt: isInFlight(execution) ? execution.dueAt : now };
}

/** `orchestration/file-callbacks.ts` does the same for many executions, without loading their runs. */
function afterCallback({ run }: State, execution: Execution, now: number): Transition | null {
  const hint = applyCallback(execution, now);
  return hint === null ? null : unchanged(run, { ...execution, ...hint });
}

function overBudget({ run, execution }: State, { now }: TransitionInput): Transition | null {
  if (run.status !== "queued") return null;
  const error = {
    code: "budget_reached",
    detail: "the job's budget was used up before the run could start",
    reason: null,
  };
  return withExecution(failed(run, error, now), execution);
}

function cancel(
  { run, execution }: State,
  cancellation: Cancellation,
  { now }: TransitionInput,
): Transition | null {
  if (isTerminal(run.status) || run.status === "collecting") return null;
  if (run.status === "queued") return withExecution(cancelled({ ...run, cancellation }, now), execution);
  // A second request only ever hardens the first: a stop may become an abort.
  if (run.cancellation !== null && (run.cancellation.mode === "abort" || cancellation.mode === "stop"))
    return null;
  const hardened = { mode: cancellation.mode, cause: run.cancellation?.cause ?? cancellation.cause };
  const due =
    execution === null || isInFlight(execution)
      ? execution
      : { ...execution, dueAt: now, cancelSentAt: null };
  return { run: { ...run, cancellation: hardened }, execution: due, events: [] };
}
