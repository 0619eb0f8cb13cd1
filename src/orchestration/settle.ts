// The single door: every fact about a run or an execution enters here and is applied in the caller's transaction.
import type { EventDraft } from "../domain/event.ts";
import type { Execution, Phase } from "../domain/execution.ts";
import type { JobStatus } from "../domain/job.ts";
import type { Fact } from "../domain/machine/fact.ts";
import { transition } from "../domain/machine/machine.ts";
import { isTerminal, type Run } from "../domain/run.ts";
import { takesCallback } from "../domain/spec.ts";
import { insertPendingArtifacts } from "../store/artifacts.ts";
import { nextTicks } from "../store/counters.ts";
import { countsOf, moveRun } from "../store/counts.ts";
import { deleteExecution, findExecution, insertExecution, saveExecutions } from "../store/executions.ts";
import { type JobRow, markCancelled, setJobDue } from "../store/jobs.ts";
import { loadRun, saveRun } from "../store/runs.ts";
import type { Topic, Tx } from "../store/transaction.ts";
import { charge, withCost } from "./charge.ts";
import type { Context } from "./context.ts";

export interface Settled {
  run: Run;
  execution: Execution | null;
  /** False when the fact was stale or said what was known. */
  changed: boolean;
}

/** Applies a fact about an execution. Null when there is no such execution (any more). */
export async function settle(
  context: Context,
  tx: Tx,
  executionId: string,
  fact: Fact,
): Promise<Settled | null> {
  const execution = await findExecution(tx.db, executionId);
  return execution === null ? null : apply(context, tx, execution.runId, execution, fact);
}

/** Applies a fact about a run and its current execution, if it has one. Null when there is no such run. */
export async function settleRun(
  context: Context,
  tx: Tx,
  runId: string,
  fact: Fact,
): Promise<Settled | null> {
  return apply(context, tx, runId, "current", fact);
}

async function apply(
  context: Context,
  tx: Tx,
  runId: string,
  which: Execution | "current",
  fact: Fact,
): Promise<Settled | null> {
  const loaded = await loadRun(tx.db, runId);
  if (loaded === null) return null;
  const { run, policy, like, apiKey, executionType } = loaded;
  const execution = which === "current" ? await currentExecution(tx, run) : which;

  const callbacks = takesCallback(run.kind) ? context.health.mode(tx.now) : "absent";
  const moment = {
    now: tx.now,
    rules: { ...context.rules, callbacks },
    random: context.random(),
    expectedMs: context.durations.expected(like),
  };
  const next = transition({ run, execution, policy }, fact, moment);
  if (next === null) return { run, execution, changed: false };
  if (next.execution !== null && next.execution !== execution)
    next.execution = await withCost(tx, next.execution, executionType);

  await saveBoth(tx, execution, next.execution, fact);
  if (next.run !== run) await saveRun(tx.db, run, next.run);
  if (next.execution?.phase === "collecting" && execution?.phase !== "collecting") {
    await insertPendingArtifacts(tx.db, next.execution.id, tx.now);
    if (callbacks !== "absent" && next.execution.detectedBy === "poll")
      await nextTicks(tx.db, "callbacks.missed", 1);
    learn(context, next.execution, like, callbacks !== "absent", tx.now);
  }
  tx.emit(...next.events);
  // Before the job's readiness is found anew: a budget that is used up now ends it.
  await charge(context, tx, apiKey, execution, next.execution);
  if (run.status !== next.run.status) await moveJob(tx, run, next.run);
  wake(tx, next.run, next.execution);
  tell(context, run, next);
  return { run: next.run, execution: next.execution, changed: true };
}

async function currentExecution(tx: Tx, { executionId }: Run): Promise<Execution | null> {
  return executionId === null ? null : findExecution(tx.db, executionId);
}

/** An end became known: what it teaches for the next ones. */
function learn(
  { health, durations }: Context,
  ended: Execution,
  like: string,
  asked: boolean,
  now: number,
): void {
  const { id, acceptedAt, endedAt, detectedBy, status } = ended;
  const delayMs = endedAt === null ? null : now - endedAt;
  if (asked && detectedBy !== null) health.ended(id, detectedBy, delayMs, now);
  if (acceptedAt !== null && status === "completed")
    durations.learn(like, Math.max(0, (endedAt ?? now) - acceptedAt));
}

async function saveBoth(
  tx: Tx,
  before: Execution | null,
  after: Execution | null,
  fact: Fact,
): Promise<void> {
  if (fact.fact === "claimed" && after !== null) return insertExecution(tx.db, after);
  if (before === null) return;
  return after === null ? deleteExecution(tx.db, before) : saveExecutions(tx.db, [{ before, after }]);
}

async function moveJob(tx: Tx, before: Run, after: Run): Promise<void> {
  const { job, entered } = await moveRun(tx.db, after.jobId, before.status, after.status, tx.now);
  if (entered !== null && entered !== "queued") tx.emit(jobEvent(job, entered));
  if (job.ready_at !== null) tx.wake("dispatch", job.ready_at);
  if (after.status === "queued" && job.budget_reached_at !== null) {
    await setJobDue(tx.db, job.id, tx.now);
    tx.wake("steer", tx.now);
  }
  // What the budget ended is no reason to end what is alive.
  const isFailure = after.status === "failed" && after.error?.code !== "budget_reached";
  const isFirstFailure = isFailure && job.on_run_failure === "cancel_rest" && job.cancel_mode === null;
  if (isFirstFailure && job.ended_at === null) {
    await markCancelled(tx.db, job.id, { mode: "abort", cause: "run_failure" }, tx.now);
    tx.wake("steer", tx.now);
  }
}

export function jobEvent(job: JobRow, what: "created" | Exclude<JobStatus, "queued">): EventDraft {
  return { type: `job.${what}`, jobId: job.id, data: { name: job.name, counts: countsOf(job) } };
}

function wake(tx: Tx, run: Run, execution: Execution | null): void {
  if (execution?.dueAt != null) tx.wake(topicOf[execution.phase], execution.dueAt);
  if (run.dueAt !== null) tx.wake("dispatch", run.dueAt);
}

const topicOf: Record<Phase, Topic> = {
  submitting: "check",
  watching: "check",
  orphan: "check",
  collecting: "collect",
  closed: "check",
};

function tell(
  { report }: Context,
  before: Run,
  { run, execution, events }: { run: Run; execution: Execution | null; events: EventDraft[] },
): void {
  if (!isTerminal(before.status) && isTerminal(run.status)) {
    const detectedBy = execution?.detectedBy ?? null;
    const { detectedAt = null, endedAt = null } = execution ?? {};
    const delayMs = detectedAt === null || endedAt === null ? null : detectedAt - endedAt;
    report.ended({
      runId: run.id,
      status: run.status,
      executionId: execution?.id ?? null,
      detectedBy,
      delayMs,
    });
  }
  if (execution !== null && events.some((event) => event.type === "execution.orphaned")) {
    report.orphan({ executionId: execution.id, lyceumExecutionId: execution.lyceumExecutionId ?? "" });
  }
}
