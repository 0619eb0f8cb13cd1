// Group: which look each of the due executions needs.

import { takesCallback } from "../../domain/spec.ts";
import { overdueAt } from "../../domain/state-machine/schedule.ts";
import type { Context } from "../../orchestration/context.ts";
import type { DueExecution } from "../../store/execution-claims.ts";

export interface Groups {
  /** Nobody waits for the start's answer any more. */
  unansweredStarts: DueExecution[];
  /** Lost executions that Lyceum has, or had. */
  orphans: DueExecution[];
  /** Their end is to be asked for. */
  cancelled: DueExecution[];
  /** A callback names them. */
  called: DueExecution[];
  /** Their own record is read. */
  single: DueExecution[];
  /** The next list answers for them, or they are searched for in it. */
  listed: DueExecution[];
}

export interface GroupingOptions {
  now: () => number;
  isAbortDue(one: DueExecution): boolean;
}

export function createGrouping(context: Context, { now, isAbortDue }: GroupingOptions) {
  function groupOf(one: DueExecution): keyof Groups {
    const { execution, kind, cancellation } = one;
    if (execution.phase === "submitting") return execution.inDoubtAt === null ? "unansweredStarts" : "listed";
    if (execution.phase === "orphan") return execution.lyceumExecutionId === null ? "listed" : "orphans";
    if (cancellation !== null && isAbortDue(one)) return "cancelled";
    if (execution.callbackAt !== null) return "called";
    // A selection's own status is not documented, and its record decides anyway.
    return kind === "gpu_selection" ? "single" : "listed";
  }

  /** Callbacks are relied on, and this one is overdue. */
  function isMissed({ execution, kind, timeoutS }: DueExecution): boolean {
    const at = now();
    if (execution.phase !== "watching" || !takesCallback(kind) || context.health.mode(at) !== "healthy")
      return false;
    return overdueAt(execution, timeoutS, at, context.rules) <= at;
  }

  /** @param hasList a list is read now in any case */
  return (due: DueExecution[], hasList = false): Groups => {
    const found = Map.groupBy(due, groupOf);
    const of = (name: keyof Groups) => found.get(name) ?? [];
    const missed = hasList ? [] : of("listed").filter(isMissed);
    // A few are read by themselves: lists are shared by all that live, and rare.
    const few = new Set(missed.length <= MAX_SINGLE ? missed : []);
    return {
      unansweredStarts: of("unansweredStarts"),
      orphans: of("orphans"),
      cancelled: of("cancelled"),
      called: of("called"),
      single: [...of("single"), ...few],
      listed: of("listed").filter((one) => !few.has(one)),
    };
  };
}

const MAX_SINGLE = 4;
