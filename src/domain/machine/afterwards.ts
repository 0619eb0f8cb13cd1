// After the end: the artifacts are collected; and what was given up as lost may still show up, as an orphan.

import type { Execution } from "../execution.ts";
import { billed, measured } from "../measure.ts";
import { event, type Known, lookedFor, type Moment, type Transition, unchanged } from "./change.ts";
import type { Fact } from "./fact.ts";
import { afterCollection, settledAs } from "./outcome.ts";
import { nextOrphanSearchAt, ORPHAN_WATCH_MS } from "./schedule.ts";

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

export function whileOrphan(
  { run, execution }: Known,
  fact: Fact,
  { now, rules }: Moment,
): Transition | null {
  switch (fact.fact) {
    case "accepted": {
      if (execution.lyceumExecutionId !== null) return null;
      const found = {
        ...execution,
        lyceumExecutionId: fact.lyceumExecutionId,
        rawStatus: fact.raw,
        dueAt: now,
      };
      const data = { lyceum_execution_id: fact.lyceumExecutionId, raw_status: fact.raw };
      return { run, execution: found, events: [event(run, "execution.orphaned", data, execution.id)] };
    }
    case "orphan_ended":
      return unchanged(run, { ...execution, phase: "closed", dueAt: null, rawStatus: fact.raw });
    case "not_found": {
      const looked = lookedFor(execution, fact.askedAt, now, rules);
      if (looked.callbackAt !== null) return unchanged(run, looked);
      if (now - (execution.endedAt ?? now) >= ORPHAN_WATCH_MS)
        return unchanged(run, { ...looked, phase: "closed", dueAt: null });
      return unchanged(run, { ...looked, dueAt: nextOrphanSearchAt(now, rules) });
    }
    case "unanswered":
      return unchanged(run, { ...execution, dueAt: fact.retryAt });
    default:
      return null;
  }
}
