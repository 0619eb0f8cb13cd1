// The outcome of a run when its execution is over.
import type { EventDraft } from "../event.ts";
import type { Execution } from "../execution.ts";
import type { FailureReason } from "../failure-reason.ts";
import type { Fault, Outcome, Policy, RetryClass, Run } from "../run.ts";
import { backoffMs } from "./backoff.ts";

interface RunOutcome {
  run: Run;
  events: EventDraft[];
}

/** `error` belongs to any outcome but success. */
interface End {
  outcome: Outcome;
  error: Fault | null;
}

export function failed(run: Run, error: Fault, now: number): RunOutcome {
  return over({ ...run, outcome: "failed", error }, now);
}

export function cancelled(run: Run, now: number): RunOutcome {
  return over({ ...run, ...cancelledEnd(run) }, now);
}

export function concludeRun(run: Run, execution: Execution, reason: FailureReason | null): RunOutcome {
  const ended: Run = { ...run, ...endOf(run, execution, reason), status: "collecting" };
  return { run: ended, events: [runEvent(ended)] };
}

/** The record, read again, may complete the error's detail and reason, and nothing else. */
export function afterCollection(
  run: Run,
  execution: Execution,
  now: number,
  reason: FailureReason | null,
): RunOutcome {
  const { error } = endOf(run, execution, run.error?.reason ?? reason);
  return over(error?.code === run.error?.code ? { ...run, error } : run, now);
}

export function retryIfAllowed(
  run: Run,
  execution: Execution,
  policy: Policy,
  { now, random }: { now: number; random: number },
  reason: FailureReason | null,
): RunOutcome | null {
  if (run.cancellation !== null || run.attempt >= policy.retry.maxAttempts) return null;
  const because = retryClass(execution);
  if (because === null) return null;
  const { on } = policy.retry;
  const granted =
    [because, reason].find((one) => one !== null && on.includes(one)) ??
    (because === "lost" && policy.onLost === "retry" ? because : null);
  return granted === null ? null : requeued(run, now + backoffMs(run.attempt, random), granted);
}

/** The start was not accepted: queues the run again, or cancels it if a cancellation came meanwhile. */
export function requeueOrCancel(run: Run, execution: null, retryAt: number, reason: string, now: number) {
  const next = run.cancellation === null ? requeued(run, retryAt, reason) : cancelled(run, now);
  return withExecution(next, execution);
}

export function withExecution<E extends Execution | null>(
  { run, events }: RunOutcome,
  execution: E,
  before: EventDraft[] = [],
) {
  return { run, execution, events: [...before, ...events] };
}

function endOf(run: Run, execution: Execution, reason: FailureReason | null): End {
  switch (execution.status) {
    case "completed":
      return { outcome: "succeeded", error: null };
    case "cancelled":
    case "aborted":
      if (run.cancellation !== null) return cancelledEnd(run);
      return execution.timedOut ? failedEnd(execution, reason) : stoppedEnd(execution);
    default:
      return endedByTime(run) ? cancelledEnd(run) : failedEnd(execution, reason);
  }
}

/** A run ended by a time limit has failed; a run ended by a request is cancelled. */
function cancelledEnd({ cancellation }: Run): End {
  switch (cancellation?.cause) {
    case "expired":
      return {
        outcome: "failed",
        error: { code: "expired", detail: "it was still not over at Lyceum after 7 days", reason: null },
      };
    case "deadline":
      return {
        outcome: "failed",
        error: {
          code: "deadline_exceeded",
          detail: "the job's deadline passed before the run was over",
          reason: null,
        },
      };
    case "run_failure":
      return {
        outcome: "cancelled",
        error: { code: "cancelled", detail: "another run of the job failed", reason: null },
      };
    default:
      return {
        outcome: "cancelled",
        error: { code: "cancelled", detail: "cancelled on request", reason: null },
      };
  }
}

function endedByTime({ cancellation }: Run): boolean {
  return cancellation?.cause === "deadline" || cancellation?.cause === "expired";
}

function stoppedEnd({ status }: Execution): End {
  const detail = `ended at Lyceum as ${status}, not on our request`;
  return { outcome: "cancelled", error: { code: "cancelled", detail, reason: null } };
}

function failedEnd(execution: Execution, reason: FailureReason | null): End {
  return { outcome: "failed", error: fault(execution, reason) };
}

function fault(execution: Execution, reason: FailureReason | null): Fault {
  if (execution.timedOut)
    return { code: "timeout", detail: "it ran past its timeout at Lyceum", reason: "timeout" };
  if (execution.status === "system_failure") {
    return {
      code: "system_failure",
      detail: execution.error ?? "an infrastructure failure at Lyceum",
      reason,
    };
  }
  const exit = execution.returnCode === null ? "it failed" : `it exited with ${execution.returnCode}`;
  return { code: "failed", detail: execution.error ?? exit, reason };
}

function retryClass(execution: Execution): RetryClass | null {
  if (execution.timedOut) return "timeout";
  const { status } = execution;
  return status === "failed" || status === "system_failure" || status === "lost" ? status : null;
}

function requeued(run: Run, dueAt: number, reason: string): RunOutcome {
  const next: Run = { ...run, status: "queued", dueAt };
  const data = { reason, attempt: run.attempt, not_before: new Date(dueAt).toISOString() };
  return { run: next, events: [{ type: "run.queued", jobId: run.jobId, runId: run.id, data }] };
}

function over(run: Run, now: number): RunOutcome {
  if (run.outcome === null) throw new Error(`run ${run.id} cannot be over without an outcome`);
  const done: Run = { ...run, status: run.outcome, dueAt: null, endedAt: now };
  return { run: done, events: [runEvent(done)] };
}

function runEvent({ id, jobId, status, attempt, outcome, error }: Run): EventDraft {
  return { type: `run.${status}`, jobId, runId: id, data: { attempt, outcome, error } };
}
