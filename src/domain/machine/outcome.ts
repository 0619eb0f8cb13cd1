// What becomes of a run when its execution is over, one way or another.
import type { EventDraft } from "../event.ts";
import type { Execution } from "../execution.ts";
import type { Fault, Policy, RetryClass, Run } from "../run.ts";
import { backoffMs } from "./retry.ts";

interface Settled {
  run: Run;
  events: EventDraft[];
}

export function failed(run: Run, error: Fault, now: number): Settled {
  return end({ ...run, status: "failed", error }, now);
}

/** A run that a time limit ended has failed; one that somebody ended was cancelled. */
export function cancelled(run: Run, now: number): Settled {
  if (run.cancellation?.cause === "expired") {
    return failed(run, { code: "expired", detail: "it was still not over at Lyceum after 7 days" }, now);
  }
  if (run.cancellation?.cause === "deadline") {
    return failed(
      run,
      { code: "deadline_exceeded", detail: "the job's deadline passed before the run was over" },
      now,
    );
  }
  const detail =
    run.cancellation?.cause === "run_failure" ? "another run of the job failed" : "cancelled on request";
  return end({ ...run, status: "cancelled", error: { code: "cancelled", detail } }, now);
}

/** The artifacts of the last execution are in: the run takes its outcome. */
export function afterEnd(run: Run, execution: Execution, now: number): Settled {
  switch (execution.status) {
    case "completed":
      return end({ ...run, status: "succeeded" }, now);
    case "cancelled":
    case "aborted":
      if (run.cancellation !== null || !execution.timedOut) return stopped(run, execution, now);
      return failed(run, fault(execution), now);
    default:
      return endedByTime(run) ? cancelled(run, now) : failed(run, fault(execution), now);
  }
}

/** Another attempt, if the policy grants one to this end; null if the run is to take its outcome. */
export function afterLoss(
  run: Run,
  execution: Execution,
  policy: Policy,
  { now, random }: { now: number; random: number },
): Settled | null {
  if (run.cancellation !== null || run.attempt >= policy.retry.maxAttempts) return null;
  const because = retryClass(execution);
  if (because === null) return null;
  const granted = policy.retry.on.includes(because) || (because === "lost" && policy.onLost === "retry");
  return granted ? requeued(run, now + backoffMs(run.attempt, random), because) : null;
}

/** Nothing came to be at Lyceum: the run waits again, or takes the cancellation that came meanwhile. */
export function backToQueue(run: Run, execution: null, retryAt: number, reason: string, now: number) {
  const settled = run.cancellation === null ? requeued(run, retryAt, reason) : cancelled(run, now);
  return settledAs(settled, execution);
}

export function settledAs<E extends Execution | null>(
  { run, events }: Settled,
  execution: E,
  before: EventDraft[] = [],
) {
  return { run, execution, events: [...before, ...events] };
}

function endedByTime({ cancellation }: Run): boolean {
  return cancellation?.cause === "deadline" || cancellation?.cause === "expired";
}

function stopped(run: Run, execution: Execution, now: number): Settled {
  if (run.cancellation !== null) return cancelled(run, now);
  const detail = `ended at Lyceum as ${execution.status}, not on our request`;
  return end({ ...run, status: "cancelled", error: { code: "cancelled", detail } }, now);
}

function fault(execution: Execution): Fault {
  if (execution.timedOut) return { code: "timeout", detail: "it ran past its timeout at Lyceum" };
  if (execution.status === "system_failure") {
    return { code: "system_failure", detail: execution.error ?? "an infrastructure failure at Lyceum" };
  }
  const exit = execution.returnCode === null ? "it failed" : `it exited with ${execution.returnCode}`;
  return { code: "failed", detail: execution.error ?? exit };
}

function retryClass(execution: Execution): RetryClass | null {
  if (execution.timedOut) return "timeout";
  const { status } = execution;
  return status === "failed" || status === "system_failure" || status === "lost" ? status : null;
}

function requeued(run: Run, dueAt: number, reason: string): Settled {
  const next: Run = { ...run, status: "queued", dueAt };
  const data = { reason, attempt: run.attempt, not_before: new Date(dueAt).toISOString() };
  return { run: next, events: [{ type: "run.queued", jobId: run.jobId, runId: run.id, data }] };
}

function end(run: Run, now: number): Settled {
  const done: Run = { ...run, dueAt: null, endedAt: now };
  const data = { attempt: run.attempt, error: run.error };
  return { run: done, events: [{ type: `run.${run.status}`, jobId: run.jobId, runId: run.id, data }] };
}
