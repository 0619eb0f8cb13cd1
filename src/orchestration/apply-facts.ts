// The single door: every fact about a run or an execution enters here and is applied in the caller's transaction. Facts
// of many runs that are told together share their statements.
import type { EventDraft } from "../domain/event.ts";
import type { Execution, Phase } from "../domain/execution.ts";
import { isTerminal, type Run } from "../domain/run.ts";
import { takesCallback } from "../domain/spec.ts";
import type { Fact } from "../domain/state-machine/fact.ts";
import { transition } from "../domain/state-machine/transition.ts";
import { incrementCounter } from "../store/counters.ts";
import type { Topic, Tx } from "../store/db/transaction.ts";
import { findExecutions, saveExecutions } from "../store/executions.ts";
import { type LoadedRun, loadRuns, saveRuns } from "../store/runs.ts";
import { charge, withCost } from "./charge.ts";
import { batched, type Context } from "./context.ts";
import { updateJobs } from "./job-progress.ts";
import { doubtSharedIds } from "./shared-ids.ts";

/** A fact, and whom it is about: an execution, or a run with its current execution if it has one. */
export type FactFor = { fact: Fact } & ({ executionId: string } | { runId: string });

export interface Applied {
  run: Run;
  execution: Execution | null;
  /** False when the fact was stale or said what was known. */
  changed: boolean;
}

/** Applies a fact. Null when there is no such execution or run (any more). */
export async function applyFact(context: Context, tx: Tx, told: FactFor): Promise<Applied | null> {
  return (await applyFacts(context, tx, [told]))[0] ?? null;
}

/** Tells of one, together with all that is told in the same turn. Resolves once it is durable. */
export const recordFact = batched(applyFacts);

/** Applies facts, and answers for each what became of whom it is about. */
export async function applyFacts(
  context: Context,
  tx: Tx,
  told: readonly FactFor[],
): Promise<(Applied | null)[]> {
  const all = await doubtSharedIds(tx, told);
  const subjects = await load(tx, all);
  const settled: (Applied | null)[] = all.map(() => null);
  const changes: Change[] = [];
  const later: number[] = [];
  const seen = new Set<string>();
  for (const [index, { fact }] of all.entries()) {
    const subject = subjects[index];
    if (subject == null) continue;
    const { run, execution } = subject;
    // Of each run one at a time: the next builds on what becomes of this one.
    if (seen.has(run.id)) {
      later.push(index);
      continue;
    }
    seen.add(run.id);
    const change = await decide(context, tx, subject, fact);
    if (change !== null) changes.push(change);
    settled[index] = { ...(change?.after ?? { run, execution }), changed: change !== null };
  }
  await save(context, tx, changes);
  if (later.length === 0) return settled;
  const others = later.map((index) => all[index] as FactFor);
  for (const [place, one] of (await applyFacts(context, tx, others)).entries())
    settled[later[place] as number] = one;
  return settled;
}

interface Subject extends LoadedRun {
  execution: Execution | null;
}

/** One for each that is told of; null where there is nobody. */
async function load({ db }: Tx, all: readonly FactFor[]): Promise<(Subject | null)[]> {
  const named = all.flatMap((told) => ("executionId" in told ? [told.executionId] : []));
  const executions = await found(findExecutions(db, [...new Set(named)]));
  const runIdOf = (told: FactFor) => ("runId" in told ? told.runId : executions.get(told.executionId)?.runId);
  const runIds = new Set(all.flatMap((told) => runIdOf(told) ?? []));
  const runs = new Map((await loadRuns(db, [...runIds])).map((loaded) => [loaded.run.id, loaded]));
  const current = all.flatMap((told) =>
    "runId" in told ? (runs.get(told.runId)?.run.executionId ?? []) : [],
  );
  const others = await found(findExecutions(db, [...new Set(current)]));
  return all.map((told) => {
    const loaded = runs.get(runIdOf(told) ?? "");
    if (loaded === undefined) return null;
    const { executionId } = "runId" in told ? loaded.run : told;
    const execution = executions.get(executionId ?? "") ?? others.get(executionId ?? "") ?? null;
    return { ...loaded, execution };
  });
}

async function found(executions: Promise<Execution[]>): Promise<Map<string, Execution>> {
  return new Map((await executions).map((execution) => [execution.id, execution]));
}

interface State {
  run: Run;
  execution: Execution | null;
}

interface Change {
  before: State;
  after: State;
  events: EventDraft[];
  apiKey: string;
  like: string;
  /** Whether a callback was asked for. */
  isCalledBack: boolean;
}

async function decide(
  context: Context,
  tx: Tx,
  { run, execution, policy, like, apiKey, executionType }: Subject,
  fact: Fact,
): Promise<Change | null> {
  const callbacks = takesCallback(run.kind) ? context.health.mode(tx.now) : "absent";
  const moment = {
    now: tx.now,
    rules: { ...context.rules, callbacks },
    random: context.random(),
    expectedMs: context.durations.expected(like),
  };
  const next = transition({ run, execution, policy }, fact, moment);
  if (next === null) return null;
  const isNew = next.execution !== null && next.execution !== execution;
  const after = {
    run: next.run,
    execution: isNew ? await withCost(tx, next.execution as Execution, executionType) : next.execution,
  };
  return {
    before: { run, execution },
    after,
    events: next.events,
    apiKey,
    like,
    isCalledBack: callbacks !== "absent",
  };
}

async function save(context: Context, tx: Tx, changes: Change[]): Promise<void> {
  const executions = changes.map(({ before, after }) => ({
    before: before.execution,
    after: after.execution,
  }));
  const runs = changes.map(({ before, after }) => ({ before: before.run, after: after.run }));
  await saveExecutions(tx.db, executions, tx.instance);
  await saveRuns(
    tx.db,
    runs.filter(({ before, after }) => before !== after),
  );
  const ends = changes.filter(isEnd);
  const missed = ends.filter(
    ({ after, isCalledBack }) => isCalledBack && after.execution?.detectedBy === "poll",
  );
  if (missed.length > 0) await incrementCounter(tx.db, "callbacks.missed", missed.length);
  for (const { events } of changes) tx.emit(...events);
  // Before the jobs' readiness is found anew: a budget that is used up now ends it.
  await charge(
    context,
    tx,
    changes.map(({ apiKey }, index) => ({ apiKey, ...(executions[index] as (typeof executions)[number]) })),
  );
  await updateJobs(
    tx,
    runs.filter(({ before, after }) => before.status !== after.status),
  );
  for (const { after } of changes) wake(tx, after);
  tx.afterCommit(() => {
    for (const end of ends) learn(context, end, tx.now);
    for (const change of changes) report(context, change);
  });
}

/** Lyceum is done with it, which was not known before. */
function isEnd({ before, after }: Change): boolean {
  return after.execution?.phase === "collecting" && before.execution?.phase !== "collecting";
}

/** What an end teaches for the next ones. */
function learn({ health, durations }: Context, { after, like, isCalledBack }: Change, now: number): void {
  if (after.execution === null) return;
  const { id, acceptedAt, endedAt, detectedBy, status } = after.execution;
  const delayMs = endedAt === null ? null : now - endedAt;
  if (isCalledBack && detectedBy !== null) health.ended(id, detectedBy, delayMs, now);
  if (acceptedAt !== null && status === "completed")
    durations.learn(like, Math.max(0, (endedAt ?? now) - acceptedAt));
}

function wake(tx: Tx, { run, execution }: State): void {
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

function report({ report }: Context, { before, after, events }: Change): void {
  const { run, execution } = after;
  if (!isTerminal(before.run.status) && isTerminal(run.status)) {
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
