// Two starts answered with the same id: Lyceum, or somebody in between, has mixed up its answers. The second start is in
// doubt, and its marker tells which execution is whose.
import type { Fact } from "../domain/state-machine/fact.ts";
import type { Tx } from "../store/db/transaction.ts";
import { findHolders } from "../store/executions.ts";

interface Told {
  fact: Fact;
  executionId?: string;
}

/** The facts, with a doubt in place of each acceptance whose id another execution holds already. */
export async function doubtSharedIds<T extends Told>(tx: Tx, all: readonly T[]): Promise<readonly T[]> {
  const ids = all.flatMap(({ fact }) => answeredId(fact) ?? []);
  if (ids.length === 0) return all;
  const holders = await findHolders(tx.db, [...new Set(ids)]);
  return all.map((told) => {
    const id = answeredId(told.fact);
    if (id === null || told.executionId === undefined) return told;
    const holder = holders.get(id) ?? told.executionId;
    holders.set(id, holder);
    if (holder === told.executionId) return told;
    const detail = `the start was answered with the id of another execution, ${holder}`;
    return { ...told, fact: { type: "outcome_unknown", detail } };
  });
}

/** The id in a start's answer. An execution that was found by its marker is ours, whoever else was given its id. */
function answeredId(fact: Fact): string | null {
  return fact.type === "accepted" && !fact.found ? fact.lyceumExecutionId : null;
}
