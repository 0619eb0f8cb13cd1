// Records the outcomes of starts, which are known only here: an outcome that the database refuses is tried again.

import type { Fact } from "../domain/state-machine/fact.ts";
import { exponentialMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { recordFact } from "../orchestration/apply-facts.ts";
import type { Context } from "../orchestration/context.ts";
import { assertWritable } from "../store/store.ts";

export interface StartOutcomes {
  /** Resolves once the outcome is written or kept; never rejects. */
  record(executionId: string, fact: Fact): Promise<void>;
  retry(): Promise<void>;
  retryAt(): number | null;
  /** Further starts should wait. */
  isFull(): boolean;
}

interface KeptOutcome {
  executionId: string;
  fact: Fact;
  /** By a database that takes other writes. */
  refusals: number;
  retryAt: number;
}

export function createStartOutcomes(context: Context, clock: Clock): StartOutcomes {
  const kept = new Set<KeptOutcome>();

  async function attempt(executionId: string, fact: Fact, before: number): Promise<void> {
    try {
      await recordFact(context, { executionId, fact });
    } catch (error) {
      context.report.fault("dispatch", error);
      const refusals = (await takesWrites()) ? before + 1 : before;
      const waitMs = exponentialMs(refusals, WAIT);
      if (refusals < MAX_REFUSALS)
        kept.add({ executionId, fact, refusals, retryAt: clock.monotonic() + waitMs });
      else context.report.fault("dispatch", givenUp(executionId));
    }
  }

  /** An unavailable database refuses nothing: outcomes wait for it. */
  function takesWrites(): Promise<boolean> {
    return assertWritable(context.store).then(
      () => true,
      () => false,
    );
  }

  return {
    record: (executionId, fact) => attempt(executionId, fact, 0),
    async retry() {
      const due = [...kept].filter(({ retryAt }) => retryAt <= clock.monotonic());
      for (const outcome of due) kept.delete(outcome);
      await Promise.all(due.map(({ executionId, fact, refusals }) => attempt(executionId, fact, refusals)));
    },
    retryAt() {
      if (kept.size === 0) return null;
      const nextAt = Math.min(...[...kept].map(({ retryAt }) => retryAt));
      return clock.now() + Math.max(0, Math.ceil(nextAt - clock.monotonic()));
    },
    isFull: () => kept.size >= MAX_KEPT,
  };
}

function givenUp(executionId: string): Error {
  return new Error(
    `the outcome of ${executionId} cannot be written: the execution is searched for at Lyceum`,
  );
}

const WAIT = { firstMs: 1_000, maxMs: 60_000 };
/** About five minutes: by then the row's own wake-up has put the start in doubt, and it is searched for. */
const MAX_REFUSALS = 11;
const MAX_KEPT = 64;
