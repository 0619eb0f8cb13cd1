// The effects of a change that a fact made: counts, wake-ups, lessons for later schedules, and reports.
import { isOver } from "../domain/callback-disposition.ts";
import { type Cost, sumOf } from "../domain/cost.ts";
import type { EventDraft } from "../domain/event.ts";
import type { Execution, Phase } from "../domain/execution.ts";
import { isTerminal, type Run } from "../domain/run.ts";
import { phasesOf } from "../domain/run-phases.ts";
import type { Fact } from "../domain/state-machine/fact.ts";
import type { ArtifactChange } from "../store/artifacts.ts";
import type { Db, Topic, Tx } from "../store/db/transaction.ts";
import { listExecutions } from "../store/executions.ts";
import type { Watched } from "./charge.ts";
import type { Context } from "./context.ts";
import type { Filed } from "./file-callbacks.ts";
import { countDelay } from "./time-to-knowledge.ts";

interface State {
  run: Run;
  execution: Execution | null;
}

export interface Change {
  fact: Fact;
  before: State;
  after: State;
  events: EventDraft[];
  /** Stored if the change is an end. */
  artifacts: readonly ArtifactChange[];
  /** Callbacks that the change files. */
  filed: Filed | null;
  /** The fact itself changes nothing. */
  isStale: boolean;
  apiKey: string;
  requestedHardware: string | null;
  createdAt: number;
  durationKey: string;
  expectsCallback: boolean;
}

export function countChange({ rules }: Context, tx: Tx, change: Change): void {
  const { before, after } = change;
  const { acceptedAt = null, endedAt = null, detectedAt = null } = after.execution ?? {};
  if (acceptedAt !== null && before.execution?.acceptedAt == null) tx.count("started", 1);
  if (endsRun(change)) tx.count(`ended.${after.run.status}`, 1);
  if (isEnd(change) && endedAt !== null && detectedAt !== null)
    countDelay(tx, detectedAt - endedAt, rules.pollMaxMs);
}

export function watchedToTheEnd({ before, after, apiKey, requestedHardware }: Change): Watched[] {
  const { execution } = after;
  const wasOpen = before.execution?.phase === "watching" || before.execution?.phase === "collecting";
  return wasOpen && execution?.phase === "closed" ? [{ apiKey, requestedHardware, execution }] : [];
}

/** Its end is known, and its artifacts are collected, or will be. */
export function isEnd({ before, after }: Change): boolean {
  return before.execution?.phase === "watching" && after.execution !== null && isOver(after.execution);
}

export function learn(
  { health, durations }: Context,
  { after, durationKey, expectsCallback }: Change,
  now: number,
): void {
  if (after.execution === null) return;
  const { id, acceptedAt, endedAt, detectedBy, status } = after.execution;
  const delayMs = endedAt === null ? null : now - endedAt;
  if (expectsCallback && detectedBy !== null) health.ended(id, detectedBy, delayMs, now);
  if (acceptedAt !== null && status === "completed")
    durations.learn(durationKey, Math.max(0, (endedAt ?? now) - acceptedAt));
}

export function wake(tx: Tx, { run, execution }: State): void {
  if (execution?.dueAt != null) tx.wake(topicOf[execution.phase], execution.dueAt);
  if (run.dueAt !== null) tx.wake("dispatch", run.dueAt);
}

const topicOf: Record<Phase, Topic> = {
  submitting: "reconcile",
  watching: "reconcile",
  orphan: "reconcile",
  collecting: "collect",
  closed: "reconcile",
};

/** By run. Other runs have one execution, which the change has. */
export async function attemptsOfRetriedEnds(db: Db, changes: Change[]): Promise<Map<string, Execution[]>> {
  const ids = changes.filter(endsRun).flatMap(({ after: { run } }) => (run.attempt > 1 ? run.id : []));
  return Map.groupBy(await listExecutions(db, ids), ({ runId }) => runId);
}

function endsRun({ before, after }: Change): boolean {
  return !isTerminal(before.run.status) && isTerminal(after.run.status);
}

function costOf(execution: Execution | null): Cost {
  return { cost: execution?.cost ?? null, source: execution?.costSource ?? null };
}

export function report(
  { report }: Context,
  { before, after, events, apiKey, createdAt }: Change,
  attempts: readonly Execution[] | undefined,
  now: number,
): void {
  const { run, execution } = after;
  if (!isTerminal(before.run.status) && isTerminal(run.status)) {
    const detectedBy = execution?.detectedBy ?? null;
    const { detectedAt = null, endedAt = null } = execution ?? {};
    const delayMs = detectedAt === null || endedAt === null ? null : detectedAt - endedAt;
    const spent = sumOf((attempts ?? [execution]).map(costOf));
    report.ended({
      jobId: run.jobId,
      runId: run.id,
      executionId: execution?.id ?? null,
      key: apiKey,
      status: run.status,
      error: run.error?.code ?? null,
      reason: run.error?.reason ?? null,
      attempts: run.attempt,
      phases: phasesOf({ createdAt, endedAt: run.endedAt }, execution),
      cost: spent.cost,
      costSource: spent.source,
      detectedBy,
      delayMs,
    });
  }
  if (execution?.phase === "closed" && before.execution?.phase !== "closed") {
    const { id: executionId, jobId, runId, attempt, status, submittedAt } = execution;
    const phases = phasesOf({ createdAt, endedAt: now }, execution);
    report.executionClosed({ jobId, runId, executionId, attempt, status, submittedAt, phases });
  }
  if (execution !== null && events.some((event) => event.type === "execution.orphaned")) {
    const { id: executionId, jobId, lyceumExecutionId } = execution;
    report.orphan({ executionId, jobId, lyceumExecutionId: lyceumExecutionId ?? "" });
  }
}
