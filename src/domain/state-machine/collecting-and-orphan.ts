// After the end: artifacts are collected. An execution given up as lost may still show up as an orphan.

import type { Execution } from "../execution.ts";
import type { Run } from "../run.ts";
import { lacksBill, mergeCost, mergeSnapshot } from "../snapshot-merge.ts";
import type { Fact } from "./fact.ts";
import { afterCollection, withExecution } from "./run-outcome.ts";
import { nextCheckAt, nextOrphanSearchAt, ORPHAN_WATCH_MS } from "./schedule.ts";
import {
  afterLookupMiss,
  cameAfter,
  event,
  isEnd,
  type LiveState,
  type Transition,
  type TransitionInput,
  unanswered,
  unchanged,
} from "./transition-types.ts";
import { finalSnapshot, isExpired } from "./watching.ts";

export function whileCollecting(
  { run, execution }: LiveState,
  fact: Fact,
  { now }: TransitionInput,
): Transition | null {
  if (fact.type !== "collect_later" && fact.type !== "collected") return null;
  // The record decides: the end may be known by a status alone, and Lyceum may bill late.
  const read = fact.record;
  const merged =
    read === undefined
      ? execution
      : { ...execution, ...mergeSnapshot(execution, read), ...mergeCost(execution, read) };
  if (fact.type === "collect_later") return unchanged(run, { ...merged, dueAt: fact.dueAt });
  const closed: Execution = { ...merged, phase: "closed", dueAt: null };
  const isLast = run.status === "collecting" && run.executionId === execution.id;
  return isLast
    ? withExecution(afterCollection(run, closed, now, read?.reason ?? null), closed)
    : unchanged(run, closed);
}

export function whileOrphan(state: LiveState, fact: Fact, input: TransitionInput): Transition | null {
  const { run, execution } = state;
  const { now, rules } = input;
  switch (fact.type) {
    case "accepted": {
      const { lyceumExecutionId, raw } = fact;
      const isNew = execution.lyceumExecutionId === null || fact.found;
      if (!isNew || execution.lyceumExecutionId === lyceumExecutionId) return null;
      const found = { ...execution, lyceumExecutionId, rawStatus: raw, cancelSentAt: null, dueAt: now };
      return orphanFound(run, found, execution.lyceumExecutionId === null);
    }
    case "snapshot":
      return applyOrphanSnapshot(state, fact, input);
    case "cancel_sent": {
      const sent = { ...execution, cancelSentAt: now };
      return unchanged(run, { ...sent, dueAt: nextCheckAt(sent, run.timeoutS, now, rules) });
    }
    case "not_found": {
      const searched = afterLookupMiss(execution, fact, now, rules);
      if (searched.callbackAt !== null) return unchanged(run, searched);
      const lostAt = execution.endedAt ?? now;
      if (now - lostAt >= ORPHAN_WATCH_MS)
        return unchanged(run, { ...searched, phase: "closed", dueAt: null });
      return unchanged(run, { ...searched, dueAt: nextOrphanSearchAt(lostAt, now, rules) });
    }
    case "unanswered":
      return unchanged(run, unanswered(execution, fact));
    default:
      return null;
  }
}

function applyOrphanSnapshot(
  { run, execution, policy }: LiveState,
  fact: Fact & { type: "snapshot" },
  input: TransitionInput,
): Transition {
  const { now, rules } = input;
  const { snapshot, askedAt, leaseUntil } = fact;
  const isUnreported = execution.unseenMs > 0;
  const isOver = isEnd(snapshot.status) || finalSnapshot({ run, execution, policy }, fact, input) !== null;
  if (isOver || isExpired(execution, now)) {
    const detectedAt = execution.detectedAt ?? now;
    const ended: Execution = {
      ...execution,
      ...mergeSnapshot(execution, snapshot),
      ...mergeCost(execution, snapshot),
      rawStatus: snapshot.raw,
      detectedAt,
      detectedBy: execution.detectedBy ?? fact.by,
    };
    // Lyceum may bill late: the record is read once more.
    const isReadOnce = isOver && lacksBill(execution, snapshot) && askedAt <= detectedAt;
    const next: Pick<Execution, "phase" | "dueAt"> = isReadOnce
      ? { phase: "orphan", dueAt: detectedAt + rules.pollMaxMs }
      : { phase: "closed", dueAt: null };
    return orphanFound(run, { ...ended, ...next }, isUnreported);
  }
  const isCalled = cameAfter(execution.callbackAt, askedAt, now);
  const alive: Execution = {
    ...execution,
    rawStatus: snapshot.raw,
    startedAt: snapshot.startedAt ?? execution.startedAt,
    checkedAt: askedAt,
    callbackAt: isCalled ? execution.callbackAt : null,
  };
  const dueAt = Math.max(nextCheckAt(alive, run.timeoutS, now, rules), leaseUntil ?? 0);
  return orphanFound(run, { ...alive, dueAt: isCalled ? now : dueAt }, isUnreported);
}

function orphanFound(run: Run, execution: Execution, isUnreported: boolean): Transition {
  const found = { ...execution, unseenMs: 0 };
  if (!isUnreported) return unchanged(run, found);
  const data = { lyceum_execution_id: execution.lyceumExecutionId, raw_status: execution.rawStatus };
  return { run, execution: found, events: [event(run, "execution.orphaned", data, execution.id)] };
}
