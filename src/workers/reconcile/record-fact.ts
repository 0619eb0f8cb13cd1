// Records what a check learned about an execution: a fact, or that Lyceum did not answer.
import type { Execution } from "../../domain/execution.ts";
import type { Fact } from "../../domain/state-machine/fact.ts";
import { nextSearchAt } from "../../domain/state-machine/schedule.ts";
import type { ReadOutcome } from "../../lyceum/outcome.ts";
import { type Applied, recordFact } from "../../orchestration/apply-facts.ts";
import type { Context } from "../../orchestration/context.ts";

export interface FactRecorder {
  record(execution: Execution, fact: Fact): Promise<Applied | null>;
  /** Only the time of the next try changes, to `maxWaitMs` from now at the latest. */
  recordUnanswered(
    execution: Execution,
    answer: ReadOutcome<unknown>,
    maxWaitMs?: number,
  ): Promise<Applied | null>;
  /** Lyceum answered every call so far; the search needs more. */
  recordUnderWay(execution: Execution): Promise<Applied | null>;
  /** Epoch ms. */
  retryAt(answer: ReadOutcome<unknown>): number;
}

export function createFactRecorder(context: Context, now: () => number): FactRecorder {
  const record = (execution: Execution, fact: Fact) =>
    recordFact(context, { executionId: execution.id, fact });
  const retryAt = (answer: ReadOutcome<unknown>) => {
    const { pollMinMs, pollMaxMs } = context.rules;
    const spreadMs = pollMinMs + (context.random() * (pollMaxMs - pollMinMs)) / 4;
    const waitMs = answer.type === "throttled" ? answer.retryAfterMs + spreadMs / 4 : spreadMs;
    return Math.round(now() + waitMs);
  };
  return {
    record,
    recordUnanswered: (execution, answer, maxWaitMs = Number.POSITIVE_INFINITY) =>
      record(execution, { type: "unanswered", retryAt: Math.min(retryAt(answer), now() + maxWaitMs) }),
    recordUnderWay: (execution) =>
      record(execution, {
        type: "unanswered",
        retryAt: nextSearchAt(now(), context.rules),
        isUnderWay: true,
      }),
    retryAt,
  };
}
