// How a look at Lyceum is noted: as a fact, or as no answer.
import type { Execution } from "../../domain/execution.ts";
import type { Fact } from "../../domain/state-machine/fact.ts";
import { nextSearchAt } from "../../domain/state-machine/schedule.ts";
import type { ReadOutcome } from "../../lyceum/outcome.ts";
import { type Applied, recordFact } from "../../orchestration/apply-facts.ts";
import type { Context } from "../../orchestration/context.ts";

export interface FactRecorder {
  note(execution: Execution, fact: Fact): Promise<Applied | null>;
  /** Lyceum did not answer: nothing is known, so only the time of the next try changes, `maxWaitMs` from now at the latest. */
  unanswered(execution: Execution, answer: ReadOutcome<unknown>, maxWaitMs?: number): Promise<Applied | null>;
  /** All questions were answered, and there are more to ask. */
  underWay(execution: Execution): Promise<Applied | null>;
  /** When to ask again. */
  retryAt(answer: ReadOutcome<unknown>): number;
}

export function createFactRecorder(context: Context, now: () => number): FactRecorder {
  const note = (execution: Execution, fact: Fact) => recordFact(context, { executionId: execution.id, fact });
  const retryAt = (answer: ReadOutcome<unknown>) => {
    const { pollMinMs, pollMaxMs } = context.rules;
    const spreadMs = pollMinMs + (context.random() * (pollMaxMs - pollMinMs)) / 4;
    const waitMs = answer.type === "throttled" ? answer.retryAfterMs + spreadMs / 4 : spreadMs;
    return Math.round(now() + waitMs);
  };
  return {
    note,
    unanswered: (execution, answer, maxWaitMs = Number.POSITIVE_INFINITY) =>
      note(execution, { type: "unanswered", retryAt: Math.min(retryAt(answer), now() + maxWaitMs) }),
    underWay: (execution) =>
      note(execution, { type: "unanswered", retryAt: nextSearchAt(now(), context.rules), isUnderWay: true }),
    retryAt,
  };
}
