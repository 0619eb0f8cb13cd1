// Every fact about a run or an execution enters here and is applied in the caller's transaction.
import type { Execution } from "../domain/execution.ts";
import type { Run } from "../domain/run.ts";
import { takesCallback } from "../domain/spec.ts";
import type { Fact } from "../domain/state-machine/fact.ts";
import { transition } from "../domain/state-machine/transition.ts";
import { type ArtifactChange, saveArtifacts } from "../store/artifacts.ts";
import { incrementCounter } from "../store/counters.ts";
import type { Tx } from "../store/db/transaction.ts";
import { findExecutions, saveExecutions } from "../store/executions.ts";
import { type LoadedRun, loadRuns, saveRuns } from "../store/runs.ts";
import {
  attemptsOfRetriedEnds,
  type Change,
  countChange,
  isEnd,
  learn,
  report,
  wake,
  watchedToTheEnd,
} from "./change-effects.ts";
import { charge, chargeIdleTime, jobCosts, type Prices, pricesIn, withCost } from "./charge.ts";
import { batched, type Context } from "./context.ts";
import { type Filed, type FileWith, saveFiled, takeUnderCheck } from "./file-callbacks.ts";
import { type Served, updateJobs } from "./job-progress.ts";
import { doubtSharedIds } from "./shared-ids.ts";
import { settleStartPlaces } from "./start-places.ts";

/** `artifacts`: stored in the same transaction if the fact is the end of its execution. */
export type FactFor = { fact: Fact; artifacts?: readonly ArtifactChange[] } & (
  | { executionId: string }
  | { runId: string }
);

export interface Applied {
  run: Run;
  execution: Execution | null;
  /** False if the fact was stale or already known. */
  changed: boolean;
}

/** Null if the execution or run does not exist (any more). */
export async function applyFact(context: Context, tx: Tx, fact: FactFor): Promise<Applied | null> {
  return (await applyFacts(context, tx, [fact]))[0] ?? null;
}

/** Resolves once the change is durable. */
export const recordFact = batched(applyFacts);

/**
 * Waves of one fact per run: a later fact about the same run builds on the state the last one left.
 * @param served by job: its new turn, for facts that claim runs
 */
export async function applyFacts(
  context: Context,
  tx: Tx,
  facts: readonly FactFor[],
  served: Served = new Map(),
): Promise<(Applied | null)[]> {
  const applied: (Applied | null)[] = facts.map(() => null);
  const means = { fileWith: await takeUnderCheck(context, tx, namedIn(facts)), prices: pricesIn(tx) };
  let pending: readonly IndexedFact[] = facts.map((fact, index) => ({ ...fact, index }));
  while (pending.length > 0) {
    const wave = await doubtSharedIds(tx, pending);
    const { first, later } = firstPerRun(wave, await loadStates(tx, wave));
    const changes: Change[] = [];
    for (const { state, index, ...given } of first) {
      const change = await decide(context, tx, state, given, means);
      if (change !== null) changes.push(change);
      const { run, execution } = change?.after ?? state;
      applied[index] = { run, execution, changed: change?.isStale === false };
    }
    await save(context, tx, changes, served);
    pending = later;
  }
  return applied;
}

type IndexedFact = FactFor & { index: number };

interface LoadedState extends LoadedRun {
  execution: Execution | null;
}

function firstPerRun(wave: readonly IndexedFact[], states: readonly (LoadedState | null)[]) {
  const first: (IndexedFact & { state: LoadedState })[] = [];
  const later: IndexedFact[] = [];
  const runIds = new Set<string>();
  for (const [position, fact] of wave.entries()) {
    const state = states[position];
    if (state == null) continue;
    if (runIds.has(state.run.id)) later.push(fact);
    else first.push({ ...fact, state });
    runIds.add(state.run.id);
  }
  return { first, later };
}

/** One state per fact; null if the fact's run or execution does not exist. */
async function loadStates({ db }: Tx, facts: readonly FactFor[]): Promise<(LoadedState | null)[]> {
  const named = await byId(findExecutions(db, namedIn(facts)));
  const runIdOf = (fact: FactFor) => ("runId" in fact ? fact.runId : named.get(fact.executionId)?.runId);
  const runIds = new Set(facts.flatMap((fact) => runIdOf(fact) ?? []));
  const runs = new Map((await loadRuns(db, [...runIds])).map((loaded) => [loaded.run.id, loaded]));
  const currentIds = facts.flatMap((fact) =>
    "runId" in fact ? (runs.get(fact.runId)?.run.executionId ?? []) : [],
  );
  const current = await byId(findExecutions(db, [...new Set(currentIds)]));
  return facts.map((fact) => {
    const loaded = runs.get(runIdOf(fact) ?? "");
    if (loaded === undefined) return null;
    const { executionId } = "runId" in fact ? loaded.run : fact;
    const execution = named.get(executionId ?? "") ?? current.get(executionId ?? "") ?? null;
    return { ...loaded, execution };
  });
}

function namedIn(facts: readonly FactFor[]): string[] {
  return [...new Set(facts.flatMap((fact) => ("executionId" in fact ? [fact.executionId] : [])))];
}

async function byId(executions: Promise<Execution[]>): Promise<Map<string, Execution>> {
  return new Map((await executions).map((execution) => [execution.id, execution]));
}

async function decide(
  context: Context,
  tx: Tx,
  { run, execution, policy, durationKey, apiKey, executionType, createdAt }: LoadedState,
  { fact, artifacts = [] }: Pick<FactFor, "fact" | "artifacts">,
  { fileWith, prices }: { fileWith: FileWith; prices: Prices },
): Promise<Change | null> {
  const callbacks = takesCallback(run.kind) ? context.health.mode(tx.now) : "absent";
  const input = {
    now: tx.now,
    rules: { ...context.rules, callbacks },
    random: context.random(),
    expectedMs: context.durations.expected(durationKey),
  };
  const filed = execution === null ? null : fileWith(execution);
  const called = execution === null || filed === null ? execution : { ...execution, ...hintOf(filed) };
  const moved = transition({ run, execution: called, policy }, fact, input);
  if (moved === null && filed === null) return null;
  const next = moved ?? { run, execution: called, events: [] };
  const isChanged = next.execution !== null && next.execution !== execution;
  const after = {
    run: next.run,
    execution: isChanged
      ? await withCost(prices, next.execution as Execution, executionType)
      : next.execution,
  };
  return {
    fact,
    before: { run, execution },
    after,
    events: next.events,
    artifacts,
    filed,
    isStale: moved === null,
    apiKey,
    requestedHardware: executionType,
    createdAt,
    durationKey,
    expectsCallback: callbacks !== "absent",
  };
}

function hintOf({ target: { callbackAt, dueAt } }: Filed): Pick<Execution, "callbackAt" | "dueAt"> {
  return { callbackAt, dueAt };
}

async function save(context: Context, tx: Tx, changes: Change[], served: Served): Promise<void> {
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
  await saveFiled(
    context,
    tx,
    changes.flatMap(({ filed }) => filed ?? []),
  );
  await settleStartPlaces(
    context,
    tx,
    changes.map(({ fact, before }) => ({ fact, executionId: before.execution?.id ?? null })),
  );
  const ends = changes.filter(isEnd);
  await saveArtifacts(
    tx.db,
    ends.flatMap(({ artifacts }) => artifacts),
  );
  const missed = ends.filter(
    ({ after, expectsCallback }) => expectsCallback && after.execution?.detectedBy === "poll",
  );
  if (missed.length > 0) {
    tx.atEnd("counters callbacks.missed", () => incrementCounter(tx.db, "callbacks.missed", missed.length));
    tx.count("callbacks.missed", missed.length);
  }
  for (const change of changes) countChange(context, tx, change);
  for (const { events } of changes) tx.emit(...events);
  const costs = changes.map(({ apiKey, requestedHardware }, index) => ({
    apiKey,
    requestedHardware,
    ...(executions[index] as (typeof executions)[number]),
  }));
  await updateJobs(
    context,
    tx,
    runs.filter(({ before, after }) => before.status !== after.status),
    { costs: jobCosts(costs), served },
  );
  await charge(context, tx, costs);
  await chargeIdleTime(tx, changes.flatMap(watchedToTheEnd));
  for (const { after } of changes) wake(tx, after);
  const attempts = await attemptsOfRetriedEnds(tx.db, changes);
  tx.afterCommit(() => {
    if (missed.length > 0) context.report.callbacksMissed(missed.length);
    for (const end of ends) learn(context, end, tx.now);
    for (const change of changes) report(context, change, attempts.get(change.after.run.id), tx.now);
  });
}
