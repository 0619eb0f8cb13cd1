// Groups due executions by the check that each of them needs.

import { takesCallback } from "../../domain/spec.ts";
import { overdueAt } from "../../domain/state-machine/schedule.ts";
import type { Context } from "../../orchestration/context.ts";
import type { DueExecution } from "../../store/execution-claims.ts";

export interface Groups {
  /** Nobody waits for the start's answer any more. */
  unansweredStarts: DueExecution[];
  /** Lyceum has, or had, these lost executions. */
  orphans: DueExecution[];
  cancelled: DueExecution[];
  called: DueExecution[];
  single: DueExecution[];
  /** The next list answers for them, or they are searched for in it. */
  listed: DueExecution[];
}

export interface GroupingOptions {
  now: () => number;
  isAbortDue(due: DueExecution): boolean;
}

export function createGrouping(context: Context, { now, isAbortDue }: GroupingOptions) {
  function groupOf(due: DueExecution): keyof Groups {
    const { execution, kind, cancellation } = due;
    if (execution.phase === "submitting") return execution.inDoubtAt === null ? "unansweredStarts" : "listed";
    if (execution.phase === "orphan") return execution.lyceumExecutionId === null ? "listed" : "orphans";
    if (cancellation !== null && isAbortDue(due)) return "cancelled";
    if (execution.callbackAt !== null) return "called";
    // The status words of a GPU selection are not documented, and its record decides anyway.
    return kind === "gpu_selection" ? "single" : "listed";
  }

  /** Callbacks are reliable, and this one is overdue. */
  function isMissed({ execution, kind, timeoutS }: DueExecution): boolean {
    const at = now();
    if (execution.phase !== "watching" || !takesCallback(kind) || context.health.mode(at) !== "healthy")
      return false;
    return overdueAt(execution, timeoutS, at, context.rules) <= at;
  }

  /** @param hasList a list is polled now in any case */
  return (dueExecutions: DueExecution[], hasList = false): Groups => {
    const found = Map.groupBy(dueExecutions, groupOf);
    const of = (name: keyof Groups) => found.get(name) ?? [];
    const missed = hasList ? [] : of("listed").filter(isMissed);
    // A few records are cheaper than a list, which all live executions share.
    const few = new Set(missed.length <= MAX_SINGLE ? missed : []);
    return {
      unansweredStarts: of("unansweredStarts"),
      orphans: of("orphans"),
      cancelled: of("cancelled"),
      called: of("called"),
      single: [...of("single"), ...few],
      listed: of("listed").filter((due) => !few.has(due)),
    };
  };
}

const MAX_SINGLE = 4;
