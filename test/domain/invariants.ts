// Invariants of every step of the state machine, for any state and any fact.
import { type Execution, hasEnded } from "../../src/domain/execution.ts";
import { isTerminal } from "../../src/domain/run.ts";
import { isDecided, isPossible, type Step, step } from "./pairs.ts";
import { aMoment } from "./scene.ts";

/** Sentence → whether it is true of a step. */
export const invariants: Record<string, (step: Step) => boolean> = {
  "a terminal run never changes": ({ before, next }) =>
    !isTerminal(before.run.status) || next.run === before.run,

  "an execution that is closed never changes": ({ before, next, fact }) =>
    before.execution?.phase !== "closed" || next.execution === before.execution || fact.type === "claimed",

  "an execution that has ended keeps its status and never lives again": ({ before, next, fact }) =>
    before.execution === null ||
    !hasEnded(before.execution.status) ||
    fact.type === "claimed" ||
    (next.execution?.status === before.execution.status && !isLive(next.execution)),

  "a run has a wake-up exactly while it is queued": ({ next: { run } }) =>
    (run.dueAt !== null) === (run.status === "queued"),

  "an execution has a wake-up exactly while it is open": ({ next: { execution } }) =>
    execution === null || (execution.dueAt !== null) === (execution.phase !== "closed"),

  "a wake-up that is set is now or later, in whole milliseconds": ({ before, next, now }) =>
    [
      [before.run.dueAt, next.run.dueAt],
      [before.execution?.dueAt, next.execution?.dueAt],
    ].every(([was, is]) => is == null || is === was || (is >= now && Number.isInteger(is))),

  "a run has an end exactly when it is terminal": ({ next: { run } }) =>
    (run.endedAt !== null) === isTerminal(run.status),

  "a run has an outcome exactly when its end is known": ({ next: { run } }) =>
    (run.outcome !== null) === isDecided(run),

  "an outcome never changes, nor does its error's code": ({ before, next }) =>
    before.run.outcome === null ||
    (next.run.outcome === before.run.outcome && next.run.error?.code === before.run.error?.code),

  "a terminal status is the outcome": ({ next: { run } }) =>
    !isTerminal(run.status) || run.status === run.outcome,

  "a run has an error exactly when its outcome is no success": ({ next: { run } }) =>
    (run.error !== null) === (run.outcome === "failed" || run.outcome === "cancelled"),

  "the event of a run whose end is known carries the outcome and the error": ({ next: { run, events } }) =>
    events
      .filter(({ type }) => type.startsWith("run.") && isDecided(run))
      .every(({ data }) => data.outcome === run.outcome && data.error === run.error),

  "a run that is active, collecting or succeeded has an execution": ({ next: { run } }) =>
    run.executionId !== null || !["active", "collecting", "succeeded"].includes(run.status),

  "phase and status of an execution fit": ({ next: { execution } }) => execution === null || fits(execution),

  "what is watched or collected has Lyceum's id": ({ next: { execution } }) =>
    execution === null ||
    execution.lyceumExecutionId !== null ||
    !["watching", "collecting"].includes(execution.phase),

  "run and execution still fit together": ({ before, next: { run, execution } }) =>
    execution === null && before.execution !== null
      ? ["queued", "cancelled", "failed"].includes(run.status)
      : isPossible(run, execution),

  "attempts grow by one when claimed, shrink by one when not taken, and else stay": (step) => {
    const { before, next, fact, changed } = step;
    const expected = !changed ? 0 : fact.type === "claimed" ? 1 : wasNotTaken(step) ? -1 : 0;
    return next.run.attempt - before.run.attempt === expected;
  },

  "only a claim makes an execution, and only what was not taken vanishes": (step) => {
    const { before, next, fact, changed } = step;
    if (changed && fact.type === "claimed") return next.execution?.id === fact.executionId;
    if (changed && wasNotTaken(step)) return next.execution === null;
    return next.execution?.id === before.execution?.id;
  },

  "a run whose start was not taken has the execution before as its last": (step) =>
    !step.changed || !wasNotTaken(step) || step.next.run.executionId === step.before.execution?.previousId,

  "what Lyceum said it did not take is never lost": ({ before, next }) =>
    before.execution?.phase !== "submitting" ||
    before.execution.doubt !== "unavailable" ||
    next.execution?.status !== "lost",

  "a start has a doubt exactly while it has a time since when": ({ next: { execution } }) =>
    execution === null || (execution.doubt === null) === (execution.inDoubtAt === null),

  "no answer changes no status and ends nothing": ({ before, next, fact }) =>
    fact.type !== "unanswered" ||
    (next.run === before.run && sameState(before.execution, next.execution) && next.events.length === 0),

  "a callback changes no status": ({ before, next, fact }) =>
    fact.type !== "callback" ||
    (next.run === before.run && sameState(before.execution, next.execution) && next.events.length === 0),

  "a callback wakes a live execution now, unless its POST may still be under way": ({
    before,
    next,
    fact,
    now,
  }) =>
    fact.type !== "callback" ||
    !isLive(before.execution) ||
    next.execution?.dueAt === (isInFlight(before.execution) ? before.execution.dueAt : now),

  "not being found says nothing while the POST may still be under way": ({ before, fact, changed }) =>
    fact.type !== "not_found" || !isInFlight(before.execution) || !changed,

  "the same fact a second time leaves the statuses as they are, and tells nothing": ({
    before,
    fact,
    next,
    now,
  }) => {
    const again = step({ ...next, policy: before.policy }, fact, aMoment({ now })).next;
    const isSame = again.run.status === next.run.status && sameState(again.execution, next.execution);
    return isSame && again.events.length === 0;
  },

  "each change of a run's status has its one event, and nothing else has": ({ before, next }) =>
    told(next.events, "run.").join() ===
    (before.run.status === next.run.status ? "" : `run.${next.run.status}`),

  "each change of an execution's status has its one event, and nothing else has": ({ before, next }) => {
    const was = before.execution?.id === next.execution?.id ? before.execution?.status : undefined;
    const is = next.execution?.status;
    const statuses = told(next.events, "execution.").filter((type) => !milestones.includes(type));
    return statuses.join() === (is === undefined || is === was ? "" : `execution.${is}`);
  },

  "an event names its job, its run and, if it is about one, its execution": ({ next }) =>
    next.events.every(
      ({ type, jobId, runId, executionId }) =>
        jobId === next.run.jobId &&
        runId === next.run.id &&
        executionId === (type.startsWith("run.") ? undefined : next.execution?.id),
    ),

  "a cancellation is never taken back nor softened, and nothing is queued after it": ({ before, next }) => {
    const was = before.run.cancellation;
    const is = next.run.cancellation;
    if (is !== null && next.run.status === "queued") return false;
    return was === null || (is !== null && (was.mode === "stop" || is.mode === "abort"));
  },

  "a run succeeds only by an execution that completed": ({ before, next }) =>
    next.run.outcome !== "succeeded" ||
    before.run.outcome === "succeeded" ||
    (next.execution?.status === "completed" && next.execution.id === next.run.executionId),
};

/** Lyceum did not take the start, or confirmed by list and history that it did not. */
function wasNotTaken({ before, next, fact }: Step): boolean {
  if (fact.type === "not_taken") return true;
  // An execution that Lyceum has shown since is lost when it is not found, whatever its start was answered.
  const { phase, doubt } = before.execution ?? {};
  return (
    fact.type === "not_found" && phase === "submitting" && doubt === "unavailable" && next.run !== before.run
  );
}

/** Events of an execution that tell of something else than its status. */
const milestones = ["execution.accepted", "execution.in_doubt", "execution.orphaned"];

function told(events: Step["next"]["events"], prefix: string): string[] {
  return events.map((event) => event.type).filter((type) => type.startsWith(prefix));
}

/** As far as we know it may be running, or come to run, at Lyceum. */
export function isLive(execution: Execution | null): execution is Execution {
  return execution?.phase === "submitting" || execution?.phase === "watching";
}

function isInFlight(execution: Execution | null): boolean {
  return execution?.phase === "submitting" && execution.inDoubtAt === null;
}

function sameState(a: Execution | null, b: Execution | null): boolean {
  return a?.status === b?.status && a?.phase === b?.phase;
}

/** As the CHECK of the schema, and what it leaves open: only what has ended is collected or closed. */
function fits({ phase, status }: Execution): boolean {
  switch (phase) {
    case "submitting":
      return status === "submitting";
    case "watching":
      return ["pending", "starting", "running"].includes(status);
    case "collecting":
      return hasEnded(status) && status !== "rejected" && status !== "lost";
    case "orphan":
      return status === "lost";
    case "closed":
      return hasEnded(status);
  }
}
