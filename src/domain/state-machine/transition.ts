// The state machine: every fact about a run or its execution enters here, and what follows from it comes out.
// Pure. `null` means that the fact changes nothing (it is stale, or says what is known). docs/state-machine.md
// draws it. A wake-up (`dueAt`) is part of the state: that is how a change and what it owes the world are one.

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

export function transition(situation: State, fact: Fact, moment: TransitionInput): Transition | null {
  if (fact.type === "claimed") return claimed(situation, fact.executionId, moment);
  if (fact.type === "cancel") return cancel(situation, fact.cancellation, moment);
  if (fact.type === "over_budget") return overBudget(situation, moment);
  const { execution } = situation;
  if (execution === null) return null;
  if (fact.type === "callback") return whenCalledBack(situation, execution, moment.now);
  const known: LiveState = { ...situation, execution };
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

/**
 * A callback is a hint to look, and concerns the execution alone. While its POST may still be under way, the answer to
 * that comes first. Null when there is nothing to look for any more.
 */
export function applyCallback(
  execution: Pick<Execution, "phase" | "inDoubtAt" | "dueAt">,
  now: number,
): Pick<Execution, "callbackAt" | "dueAt"> | null {
  if (execution.phase === "collecting" || execution.phase === "closed") return null;
  return { callbackAt: now, dueAt: isInFlight(execution) ? execution.dueAt : now };
}

/** As `orchestration/callback.ts` does it for many at once, without their runs, which a hint does not concern. */
function whenCalledBack({ run }: State, execution: Execution, now: number): Transition | null {
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
  // A second request only ever hardens the first: stop may become abort.
  if (run.cancellation !== null && (run.cancellation.mode === "abort" || cancellation.mode === "stop"))
    return null;
  const hardened = { mode: cancellation.mode, cause: run.cancellation?.cause ?? cancellation.cause };
  const due =
    execution === null || isInFlight(execution)
      ? execution
      : { ...execution, dueAt: now, cancelSentAt: null };
  return { run: { ...run, cancellation: hardened }, execution: due, events: [] };
}
