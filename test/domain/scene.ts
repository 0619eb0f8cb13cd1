// Building blocks for tests of the state machine: runs, executions, facts, and stories in which facts happen.

import type { Execution, ExecutionStatus, Snapshot } from "../../src/domain/execution.ts";
import type { CancelCause, CancelMode, Policy, Run } from "../../src/domain/run.ts";
import type { Fact } from "../../src/domain/state-machine/fact.ts";
import type { Rules } from "../../src/domain/state-machine/schedule.ts";
import { transition } from "../../src/domain/state-machine/transition.ts";
import type { State, Transition, TransitionInput } from "../../src/domain/state-machine/transition-types.ts";

export const NOW = Date.UTC(2026, 8, 1, 8);

export const rules: Rules = {
  pollMinMs: 5_000,
  pollMaxMs: 60_000,
  callbackGraceMs: 30_000,
  inDoubtAfterMs: 120_000,
  submitPatienceMs: 180_000,
  callbacks: "unproven",
};

export const never: Policy = { retry: { maxAttempts: 3, on: [] }, onLost: "fail" };
export const always: Policy = {
  retry: { maxAttempts: 3, on: ["system_failure", "failed", "timeout", "lost"] },
  onLost: "retry",
};

export function aMoment(rest: Partial<TransitionInput> = {}): TransitionInput {
  return { now: NOW, rules, random: 0.5, expectedMs: null, ...rest };
}

export function aRun(rest: Partial<Run> = {}): Run {
  return {
    id: "run_1",
    jobId: "job_1",
    kind: "python",
    status: "queued",
    version: 0,
    attempt: 0,
    timeoutS: 60,
    dueAt: NOW,
    executionId: null,
    cancellation: null,
    outcome: null,
    error: null,
    startedAt: null,
    endedAt: null,
    ...rest,
  };
}

/** An accepted execution that runs: a claimed one, ninety seconds later. */
export function anExecution(rest: Partial<Execution> = {}): Execution {
  const claimed = transition({ run: aRun(), execution: null, policy: never }, claim, aMoment());
  return {
    ...(claimed?.execution as Execution),
    phase: "watching",
    status: "running",
    rawStatus: "running",
    dueAt: NOW,
    lyceumExecutionId: "lyc_1",
    submittedAt: NOW - 90_000,
    acceptedAt: NOW - 80_000,
    ...rest,
  };
}

export function snapshot(status: ExecutionStatus | null, rest: Partial<Snapshot> = {}, askedAt = NOW): Fact {
  const said: Snapshot = { status, raw: status ?? "paused", timedOut: false, ...rest };
  return { type: "snapshot", snapshot: said, by: "poll", askedAt };
}

/** Read just after Lyceum had answered that there is nothing to abort. */
export function beyondAbort(status: ExecutionStatus | null, rest: Partial<Snapshot> = {}): Fact {
  return { ...(snapshot(status, rest) as Fact & { type: "snapshot" }), isBeyondAbort: true };
}

export function accepted(status: ExecutionStatus | null = "pending", found = false): Fact {
  return { type: "accepted", lyceumExecutionId: "lyc_1", status, raw: status ?? "paused", found };
}

export function cancel(mode: CancelMode = "abort", cause: CancelCause = "request"): Fact {
  return { type: "cancel", cancellation: { mode, cause } };
}

export const refused: Fact = { type: "refused", status: 422, detail: "no such GPU" };
export const noAnswer: Fact = { type: "outcome_unknown", detail: "no answer within 150000 ms" };
export const unavailable: Fact = { type: "unavailable", detail: "503: temporarily down" };
export const notTaken: Fact = {
  type: "not_taken",
  retryAt: NOW + 600_000,
  reason: "throttled",
};
export const notFound: Fact = { type: "not_found", askedAt: NOW };
export const callback: Fact = { type: "callback" };
export const collected: Fact = { type: "collected" };
export const cancelSent: Fact = { type: "cancel_sent", mode: "abort" };
export const stopSent: Fact = { type: "cancel_sent", mode: "stop" };
/** The marker was found under another id than the start's answer named. */
export const foundElsewhere: Fact = {
  type: "accepted",
  lyceumExecutionId: "lyc_other",
  status: "running",
  raw: "running",
  found: true,
};
export const claim: Fact = { type: "claimed", executionId: "exe_1" };

/** A queued run that facts happen to, one after the other. A fact that changes nothing leaves all as it was. */
export class Story {
  run: Run;
  execution: Execution | null = null;
  now = NOW;
  readonly events: string[] = [];
  readonly policy: Policy;

  constructor(policy: Policy = never, run: Partial<Run> = {}) {
    this.policy = policy;
    this.run = aRun(run);
  }

  learn(...facts: Fact[]): this {
    for (const fact of facts) this.take(transition(this, fact, aMoment({ now: this.now })));
    return this;
  }

  wait(ms: number): this {
    this.now += ms;
    return this;
  }

  /** Every look-up is answered, and Lyceum does not know the execution. */
  searchInVain(times: number): this {
    for (let n = 0; n < times; n++) this.wait(15_000).learn(notFound);
    return this;
  }

  private take(next: Transition | null): void {
    if (next === null) return;
    this.run = next.run;
    this.execution = next.execution;
    this.events.push(...next.events.map((event) => event.type));
  }

  get statuses(): string {
    return `${this.run.status}/${this.execution?.status ?? "none"}`;
  }
}

/** A situation as one line, for the message of a failing test. */
export function sketch({ run, execution }: Pick<State, "run" | "execution">): string {
  const cancellation = run.cancellation === null ? "" : ` ${run.cancellation.mode}/${run.cancellation.cause}`;
  const relation = execution !== null && run.executionId !== execution.id ? "older " : "";
  const doubt = execution?.phase === "submitting" && execution.inDoubtAt !== null ? " in doubt" : "";
  const of = execution === null ? "none" : `${relation}${execution.phase}/${execution.status}${doubt}`;
  return `run ${run.status} #${run.attempt}${cancellation}, execution ${of}`;
}
