// Every situation that can be, paired with every fact: the ground that the state machine's tests cover.

import type { Execution, ExecutionStatus } from "../../src/domain/execution.ts";
import {
  type Cancellation,
  type Fault,
  isTerminal,
  type Outcome,
  outcomes,
  type Run,
  type RunStatus,
  runStatuses,
} from "../../src/domain/run.ts";
import type { Fact } from "../../src/domain/state-machine/fact.ts";
import { transition } from "../../src/domain/state-machine/transition.ts";
import type { State, Transition } from "../../src/domain/state-machine/transition-types.ts";
import {
  accepted,
  always,
  aMoment,
  anExecution,
  aRun,
  beyondAbort,
  callback,
  cancel,
  cancelSent,
  collected,
  foundElsewhere,
  NOW,
  never,
  noAnswer,
  notFound,
  notTaken,
  refused,
  snapshot,
  stopSent,
  unavailable,
} from "./scene.ts";

/** A situation, a fact, and what came of it; `next` equals `before` where the fact changed nothing. */
export interface Step {
  before: State;
  fact: Fact;
  now: number;
  next: Transition;
  changed: boolean;
}

export function step(before: State, fact: Fact, moment = aMoment()): Step {
  const next = transition(before, fact, moment);
  const { run, execution } = before;
  const after = next ?? { run, execution, events: [] };
  return { before, fact, now: moment.now, next: after, changed: next !== null };
}

/** The pairs of run and execution that the database may hold: the CHECKs of the schema, and valid references. */
export function isPossible(run: Run, execution: Execution | null): boolean {
  if (run.status === "queued" && run.cancellation !== null) return false;
  if (run.executionId === null && ["active", "collecting", "succeeded"].includes(run.status)) return false;
  if (isDecided(run) !== (run.outcome !== null)) return false;
  if (isTerminal(run.status) && run.outcome !== run.status) return false;
  if (execution === null) return run.executionId === null;
  const isCurrent = run.executionId === execution.id;
  switch (execution.phase) {
    case "submitting":
    case "watching":
      return isCurrent && run.status === "active";
    case "collecting":
      if (isCurrent && (run.outcome === "succeeded") !== (execution.status === "completed")) return false;
      return !isCurrent || !["active", "succeeded"].includes(run.status);
    case "orphan":
      return !isCurrent || ["queued", "failed", "cancelled"].includes(run.status);
    case "closed":
      return !isCurrent || !["active", "collecting"].includes(run.status);
  }
}

/** Queued and active are the statuses without an outcome. */
export function isDecided({ status }: Run): boolean {
  return status !== "queued" && status !== "active";
}

const live = ["pending", "starting", "running"] as const;
const ends = ["completed", "failed", "system_failure", "cancelled", "aborted"] as const;
const unknown = { lyceumExecutionId: null, acceptedAt: null, rawStatus: null } as const;
const nearlyLost = { unseenMs: 119_000, checkedAt: NOW - 15_000 };

const unanswered = { inDoubtAt: NOW, doubt: "unanswered" } as const;
const unavailableSince = { inDoubtAt: NOW, doubt: "unavailable", previousId: "exe_0" } as const;
const submitting: Partial<Execution>[] = [
  {},
  unanswered,
  { ...unanswered, ...nearlyLost },
  unavailableSince,
  { ...unavailableSince, unseenMs: 29_000, checkedAt: NOW - 5_000 },
].map((rest) => ({ ...unknown, ...rest, phase: "submitting", status: "submitting" }));
const watching: Partial<Execution>[] = live.flatMap((status) => [
  { status },
  { status, ...nearlyLost },
  { status, acceptedAt: NOW - 1_000 },
  { status, acceptedAt: NOW - 8 * 86_400_000 },
  { status, cancelSentAt: NOW - 10_000 },
]);
const collecting: Partial<Execution>[] = ends.flatMap((status) => [
  { phase: "collecting", status, endedAt: NOW - 1_000 },
  { phase: "collecting", status, timedOut: status !== "completed" },
]);
const orphans: Partial<Execution>[] = [unknown, { lyceumExecutionId: "lyc_1" }].flatMap((rest) => [
  { ...rest, phase: "orphan", status: "lost", endedAt: NOW - 60_000 },
  { ...rest, phase: "orphan", status: "lost", endedAt: NOW - 60_000, unseenMs: 120_000 },
  { ...rest, phase: "orphan", status: "lost", endedAt: NOW - 60_000, acceptedAt: NOW - 8 * 86_400_000 },
  { ...rest, phase: "orphan", status: "lost", endedAt: NOW - 2 * 3_600_000 },
]);
const closed: Partial<Execution>[] = [...ends, "rejected" as const, "lost" as const].map((status) => ({
  phase: "closed",
  status,
  dueAt: null,
}));

const executions = [...submitting, ...watching, ...collecting, ...orphans, ...closed].flatMap((rest) =>
  [null, NOW - 500].map((callbackAt) => anExecution({ ...rest, callbackAt })),
);

const cancellations: (Cancellation | null)[] = [
  null,
  { mode: "stop", cause: "request" },
  { mode: "abort", cause: "run_failure" },
  { mode: "abort", cause: "deadline" },
  { mode: "abort", cause: "expired" },
];

const runs = runStatuses.flatMap((status) =>
  cancellations.flatMap((cancellation) =>
    [1, 3].flatMap((attempt) =>
      ["exe_1", "exe_other", null].flatMap((executionId) => {
        const dueAt = status === "queued" ? NOW : null;
        const endedAt = isTerminal(status) ? NOW - 5_000 : null;
        const common = { status, cancellation, attempt, executionId, dueAt, endedAt };
        return outcomesOf(status).map((outcome) => aRun({ ...common, outcome, error: errorOf(outcome) }));
      }),
    ),
  ),
);

function outcomesOf(status: RunStatus): readonly (Outcome | null)[] {
  if (isTerminal(status)) return [status];
  return status === "collecting" ? outcomes : [null];
}

function errorOf(outcome: Outcome | null): Fault | null {
  return outcome === null || outcome === "succeeded"
    ? null
    : { code: outcome, detail: "as it was known", reason: null };
}

// Frozen: a transition that changed what it was given would throw.
export const situations: State[] = runs
  .map((run) => Object.freeze(run))
  .flatMap((run) =>
    [null, ...executions.map((execution) => Object.freeze(execution))]
      .filter((execution) => isPossible(run, execution))
      .flatMap((execution) => [never, always].map((policy) => ({ run, execution, policy }))),
  );

const words: (ExecutionStatus | null)[] = [null, ...live, ...ends];
const times = { startedAt: NOW - 61_000, endedAt: NOW - 1_000 };

/** Complete by its type: a new fact must be given here. */
export const factsOf: Record<Fact["type"], Fact[]> = {
  claimed: [{ type: "claimed", executionId: "exe_next" }],
  accepted: [...words.flatMap((word) => [accepted(word), accepted(word, true)]), foundElsewhere],
  refused: [refused],
  not_taken: [notTaken],
  outcome_unknown: [noAnswer],
  unavailable: [unavailable],
  not_found: [notFound, { type: "not_found", askedAt: NOW, searchedMs: 60_000 }],
  unanswered: [
    { type: "unanswered", retryAt: NOW + 5_000 },
    { type: "unanswered", retryAt: NOW + 5_000, isUnderWay: true },
  ],
  snapshot: words.flatMap((word) => [
    snapshot(word),
    snapshot(word, times, NOW - 1_000),
    snapshot(word, { timedOut: true }),
    beyondAbort(word),
  ]),
  callback: [callback],
  cancel: [cancel("abort"), cancel("stop"), cancel("abort", "deadline"), cancel("abort", "run_failure")],
  cancel_sent: [cancelSent, stopSent],
  over_budget: [{ type: "over_budget" }],
  collect_later: [{ type: "collect_later", dueAt: NOW + 5_000 }],
  collected: [collected],
};
export const facts = Object.values(factsOf).flat();

/** Facts about a run come with its current execution, all others with the one that they are about. */
function isApt({ run, execution }: State, { type }: Fact): boolean {
  return !["claimed", "cancel", "over_budget"].includes(type) || run.executionId === (execution?.id ?? null);
}

export const pairs: Step[] = situations.flatMap((situation) =>
  facts.filter((fact) => isApt(situation, fact)).map((fact) => step(situation, fact)),
);
