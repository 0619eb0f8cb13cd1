// After the end: the artifacts are collected; and what was given up as lost may still show up, as an orphan.

import type { Execution } from "../execution.ts";
import { billed, measured } from "../measure.ts";
import type { Run } from "../run.ts";
import {
  event,
  isEnd,
  isNewer,
  type Known,
  lookedFor,
  type Moment,
  type Transition,
  unanswered,
  unchanged,
} from "./change.ts";
import type { Fact } from "./fact.ts";
import { afterCollection, settledAs } from "./outcome.ts";
import { nextCheckAt, nextOrphanSearchAt, ORPHAN_WATCH_MS } from "./schedule.ts";
import { hasLivedLongest, lastReading } from "./watching.ts";

export function whileCollecting({ run, execution }: Known, fact: Fact, { now }: Moment): Transition | null {
  if (fact.fact !== "collect_later" && fact.fact !== "collected") return null;
  // The end may have been told by a status alone, and Lyceum may bill late: the record has the last word.
  const read = fact.record;
  const known =
    read === undefined
      ? execution
      : { ...execution, ...measured(execution, read), ...billed(execution, read) };
  if (fact.fact === "collect_later") return unchanged(run, { ...known, dueAt: fact.dueAt });
  const closed: Execution = { ...known, phase: "closed", dueAt: null };
  const isLast = run.status === "collecting" && run.executionId === execution.id;
  return isLast ? settledAs(afterCollection(run, closed, now), closed) : unchanged(run, closed);
}

export function whileOrphan(known: Known, fact: Fact, moment: Moment): Transition | null {
  const { run, execution } = known;
  const { now, rules } = moment;
  switch (fact.fact) {
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
      const looked = lookedFor(execution, fact, now, rules);
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
  { run, execution, policy }: Known,
  fact: Fact & { fact: "reading" },
  moment: Moment,
): Transition {
  const { now, rules } = moment;
  const { reading, askedAt, heldUntil } = fact;
  const isUntold = execution.unseenMs > 0;
  const isOver = isEnd(reading.status) || lastReading({ run, execution, policy }, fact, moment) !== null;
  if (isOver || hasLivedLongest(execution, now)) {
    const closed: Execution = {
      ...execution,
      ...measured(execution, reading),
      ...billed(execution, reading),
      rawStatus: reading.raw,
      phase: "closed",
      dueAt: null,
      detectedAt: now,
      detectedBy: fact.by,
    };
    return shownUp(run, closed, isUntold);
  }
  const isCalled = isNewer(execution.callbackAt, askedAt, now);
  const alive: Execution = {
    ...execution,
    rawStatus: reading.raw,
    startedAt: reading.startedAt ?? execution.startedAt,
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
