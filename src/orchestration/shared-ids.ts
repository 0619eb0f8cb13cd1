// Two starts answered with the same id: Lyceum or a proxy mixed them up. The second start is put in doubt.
import type { Fact } from "../domain/state-machine/fact.ts";
import type { Tx } from "../store/db/transaction.ts";
import { findHolders } from "../store/executions.ts";

interface ExecutionFact {
  fact: Fact;
  executionId?: string;
}

/** An id that belongs to another execution puts the start in doubt. */
export async function doubtSharedIds<T extends ExecutionFact>(
  tx: Tx,
  facts: readonly T[],
): Promise<readonly T[]> {
  const ids = facts.flatMap(({ fact }) => answeredId(fact) ?? []);
  if (ids.length === 0) return facts;
  const holders = await findHolders(tx.db, [...new Set(ids)]);
  return facts.map((given) => {
    const id = answeredId(given.fact);
    if (id === null || given.executionId === undefined) return given;
    const holder = holders.get(id) ?? given.executionId;
    holders.set(id, holder);
    if (holder === given.executionId) return given;
    const detail = `the start was answered with the id of another execution, ${holder}`;
    return { ...given, fact: { type: "outcome_unknown", detail } };
  });
}

/** An execution that was found by its marker is ours in any case. */
function answeredId(fact: Fact): string | null {
  return fact.type === "accepted" && !fact.found ? fact.lyceumExecutionId : null;
}
