// Costs are determined when an execution's end is known, and added to the totals in the same transaction. A budget that
// is used up stops starts at once.
import { dayOf, difference, estimatedCost, sumOfTallies, type Tally, tallyOf } from "../domain/cost.ts";
import type { Execution } from "../domain/execution.ts";
import { addToJobs, addToKey, addUsage } from "../store/cost-totals.ts";
import { groupSortedByRow, type Tx } from "../store/db/transaction.ts";
import { priceOf } from "../store/machine-types.ts";
import type { Context } from "./context.ts";

/** Estimates a cost that Lyceum did not bill: price times duration. A known cost stays. */
export async function withCost(
  tx: Tx,
  execution: Execution,
  requestedHardware: string | null,
): Promise<Execution> {
  if (execution.detectedAt === null || execution.cost !== null) return execution;
  const hardware = execution.hardware ?? requestedHardware;
  const price = hardware === null ? null : await priceOf(tx.db, hardware);
  const cost = estimatedCost(execution, price);
  return cost === null ? execution : { ...execution, cost, costSource: "estimated" };
}

export interface CostChange {
  apiKey: string;
  before: Execution | null;
  after: Execution | null;
}

/** Adds newly known costs to the totals of day, job and key. */
export async function charge({ report }: Context, tx: Tx, changes: readonly CostChange[]): Promise<void> {
  const costs = changes.flatMap(({ apiKey, before, after }) => {
    const tally = difference(tallyOf(before), tallyOf(after));
    if (tally === null || after === null || after.detectedAt === null) return [];
    return [{ apiKey, jobId: after.jobId, at: after.detectedAt, day: dayOf(after.detectedAt), tally }];
  });
  for (const { tally } of costs) {
    if (tally.billedNano !== 0) tx.count("cost.billed", tally.billedNano);
    if (tally.estimatedNano !== 0) tx.count("cost.estimated", tally.estimatedNano);
  }
  for (const { day, apiKey, tally } of totals(costs, (cost) => `${cost.day} ${cost.apiKey}`))
    tx.atEnd(`usage ${day} ${apiKey}`, () => addUsage(tx.db, day, apiKey, tally));
  const jobCosts = totals(costs, (cost) => cost.jobId);
  for (const { jobId, apiKey } of await addToJobs(tx.db, jobCosts, tx.now)) {
    tx.wake("enforce-limits", tx.now);
    tx.afterCommit(() => report.budgetReached({ jobId, key: apiKey, heldUntil: null }));
  }
  for (const { apiKey, at, tally } of totals(costs, (cost) => `${cost.at} ${cost.apiKey}`)) {
    const key = await addToKey(tx.db, apiKey, at, tally);
    if (key === undefined) continue;
    const { heldUntil } = key;
    tx.wake("dispatch", heldUntil ?? tx.now);
    if (heldUntil !== null)
      tx.afterCommit(() => report.budgetReached({ jobId: null, key: apiKey, heldUntil }));
  }
}

/** Sums the costs of each row. */
function totals<C extends { tally: Tally }>(costs: C[], rowOf: (cost: C) => string): C[] {
  return groupSortedByRow(costs, rowOf).map(([, costsOfRow]) => {
    return { ...(costsOfRow[0] as C), tally: sumOfTallies(costsOfRow.map(({ tally }) => tally)) };
  });
}
