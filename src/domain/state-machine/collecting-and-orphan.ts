// After the end: the artifacts are collected; and what was given up as lost may still show up, as an orphan.

import type { Execution } from "../execution.ts";
import type { Run } from "../run.ts";
import { mergeCost, mergeSnapshot } from "../snapshot-merge.ts";
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
import { isExpired, lastReading } from "./watching.ts";

export function whileCollecting(
  { run, execution }: LiveState,
  fact: Fact,
  { now }: TransitionInput,
): Transition | null {
  if (fact.type !== "collect_later" && fact.type !== "collected") return null;
  // The end may have been told by a status alone, and Lyceum may bill late: the record has the last word.
  const read = fact.record;
  const known =
    read === undefined
      ? execution
      : { ...execution, ...mergeSnapshot(execution, read), ...mergeCost(execution, read) };
  if (fact.type === "collect_later") return unchanged(run, { ...known, dueAt: fact.dueAt });
  const closed: Execution = { ...known, phase: "closed", dueAt: null };
  const isLast = run.status === "collecting" && run.executionId === execution.id;
  return isLast
    ? withExecution(afterCollection(run, closed, now, read?.reason ?? null), closed)
    : unchanged(run, closed);
}

export function whileOrphan(known: LiveState, fact: Fact, moment: TransitionInput): Transition | null {
  const { run, execution } = known;
  const { now, rules } = moment;
  switch (fact.type) {
    case "accepted": {
      const { lyceumExecutionId, raw } = fact;
      const isNew = execution.lyceumExecutionId === null || fact.found;
      if (!isNew || execution.lyceumExecutionId === lyceumExecutionId) return null;
      const found = { ...execution, lyceumExecutionId, rawStatus: raw, cancelSentAt: null, dueAt: now };
      return shownUp(run, found, execution.lyceumExecutionId === null);
    }
    case "reading":
      return seen(known, fact, moment);
    case "cancel_sent": {
      const sent = { ...execution, cancelSentAt: now };
      return unchanged(run, { ...sent, dueAt: nextCheckAt(sent, run.timeoutS, now, rules) });
    }
    case "not_found": {
      const looked = afterLookupMiss(execution, fact, now, rules);
      if (looked.callbackAt !== null) return unchanged(run, looked);
      const lostAt = execution.endedAt ?? now;
      if (now - lostAt >= ORPHAN_WATCH_MS) return unchanged(run, { ...looked, phase: "closed", dueAt: null });
      return unchanged(run, { ...looked, dueAt: nextOrphanSearchAt(lostAt, now, rules) });
    }
    case "unanswered":
      return unchanged(run, unanswered(execution, fact));
    default:
      return null;
  }
}

/** Applies a reading of a lost execution. The execution stays lost, yet its cost is owed. */
function seen(
  { run, execution, policy }: LiveState,
  fact: Fact & { type: "reading" },
  moment: TransitionInput,
): Transition {
  const { now, rules } = moment;
  const { snapshot, askedAt, heldUntil } = fact;
  const isUntold = execution.unseenMs > 0;
  const isOver = isEnd(snapshot.status) || lastReading({ run, execution, policy }, fact, moment) !== null;
  if (isOver || isExpired(execution, now)) {
    const closed: Execution = {
      ...execution,
      ...mergeSnapshot(execution, snapshot),
      ...mergeCost(execution, snapshot),
      rawStatus: snapshot.raw,
      phase: "closed",
      dueAt: null,
      detectedAt: now,
      detectedBy: fact.by,
    };
    return shownUp(run, closed, isUntold);
  }
  const isCalled = cameAfter(execution.callbackAt, askedAt, now);
  const alive: Execution = {
    ...execution,
    rawStatus: snapshot.raw,
    startedAt: snapshot.startedAt ?? execution.startedAt,
    lookedAt: askedAt,
    callbackAt: isCalled ? execution.callbackAt : null,
  };
  const dueAt = Math.max(nextCheckAt(alive, run.timeoutS, now, rules), heldUntil ?? 0);
  return shownUp(run, { ...alive, dueAt: isCalled ? now : dueAt }, isUntold);
}

function shownUp(run: Run, execution: Execution, isNews: boolean): Transition {
  const shown = { ...execution, unseenMs: 0 };
  if (!isNews) return unchanged(run, shown);
  const data = { lyceum_execution_id: execution.lyceumExecutionId, raw_status: execution.rawStatus };
  return { run, execution: shown, events: [event(run, "execution.orphaned", data, execution.id)] };
}
