// How a look at Lyceum is noted: as a fact, or as no answer.
import type { Execution } from "../domain/execution.ts";
import type { Fact } from "../domain/machine/fact.ts";
import { nextSearchAt } from "../domain/machine/schedule.ts";
import type { ReadOutcome } from "../lyceum/outcome.ts";
import type { Context } from "../orchestration/context.ts";
import { type Settled, tell } from "../orchestration/settle.ts";

export interface Notes {
  note(execution: Execution, fact: Fact): Promise<Settled | null>;
  /** Lyceum did not answer: nothing is known, so only the time of the next try changes, `maxWaitMs` from now at the latest. */
  unanswered(execution: Execution, answer: ReadOutcome<unknown>, maxWaitMs?: number): Promise<Settled | null>;
  /** All questions were answered, and there are more to ask. */
  underWay(execution: Execution): Promise<Settled | null>;
  /** When to ask again. */
  retryAt(answer: ReadOutcome<unknown>): number;
}

export function createNotes(context: Context, now: () => number): Notes {
  const note = (execution: Execution, fact: Fact) => tell(context, { executionId: execution.id, fact });
  const retryAt = (answer: ReadOutcome<unknown>) => {
    const { pollMinMs, pollMaxMs } = context.rules;
    const spreadMs = pollMinMs + (context.random() * (pollMaxMs - pollMinMs)) / 4;
    const waitMs = answer.outcome === "throttled" ? answer.retryAfterMs + spreadMs / 4 : spreadMs;
    return Math.round(now() + waitMs);
  };
  return {
    note,
    unanswered: (execution, answer, maxWaitMs = Number.POSITIVE_INFINITY) =>
      note(execution, { fact: "unanswered", retryAt: Math.min(retryAt(answer), now() + maxWaitMs) }),
    underWay: (execution) =>
      note(execution, { fact: "unanswered", retryAt: nextSearchAt(now(), context.rules), isUnderWay: true }),
    retryAt,
  };
}
