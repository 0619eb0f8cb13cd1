// What an execution costs is found when its end is known, and added to the totals in the same transaction; a budget
// that this uses up stops starts at once.
import { dayOf, difference, estimatedCost, sumOfTallies, type Tally, tallyOf } from "../domain/cost.ts";
import type { Execution } from "../domain/execution.ts";
import { addToJobs, addToKey, addUsage } from "../store/cost-totals.ts";
import { groupSortedByRow, type Tx } from "../store/db/transaction.ts";
import { priceOf } from "../store/machine-types.ts";
import type { Context } from "./context.ts";

/** Where Lyceum names no bill: price times duration, if both are known. What was found once stays. */
export async function withCost(tx: Tx, execution: Execution, askedFor: string | null): Promise<Execution> {
  if (execution.detectedAt === null || execution.cost !== null) return execution;
  const hardware = execution.hardware ?? askedFor;
  const price = hardware === null ? null : await priceOf(tx.db, hardware);
  const cost = estimatedCost(execution, price);
  return cost === null ? execution : { ...execution, cost, costSource: "estimated" };
}

export interface Bill {
  apiKey: string;
  before: Execution | null;
  after: Execution | null;
}

/** Moves the totals of the day, the job and the key by what is newly known. */
export async function charge({ report }: Context, tx: Tx, bills: readonly Bill[]): Promise<void> {
  const dues = bills.flatMap(({ apiKey, before, after }) => {
    const tally = difference(tallyOf(before), tallyOf(after));
    if (tally === null || after === null || after.detectedAt === null) return [];
    return [{ apiKey, jobId: after.jobId, at: after.detectedAt, day: dayOf(after.detectedAt), tally }];
  });
  for (const { day, apiKey, tally } of totals(dues, (due) => `${due.day} ${due.apiKey}`))
    await addUsage(tx.db, day, apiKey, tally);
  const ofJobs = totals(dues, (due) => due.jobId);
  for (const { jobId, apiKey } of await addToJobs(tx.db, ofJobs, tx.now)) {
    tx.wake("steer", tx.now);
    tx.afterCommit(() => report.budgetReached({ jobId, key: apiKey, heldUntil: null }));
  }
  for (const { apiKey, at, tally } of totals(dues, (due) => `${due.at} ${due.apiKey}`)) {
    const key = await addToKey(tx.db, apiKey, at, tally);
    if (key === undefined) continue;
    const { heldUntil } = key;
    tx.wake("dispatch", heldUntil ?? tx.now);
    if (heldUntil !== null)
      tx.afterCommit(() => report.budgetReached({ jobId: null, key: apiKey, heldUntil }));
  }
}

/** The dues of each name in one sum. */
function totals<D extends { tally: Tally }>(dues: D[], nameOf: (due: D) => string): D[] {
  return groupSortedByRow(dues, nameOf).map(([, those]) => {
    return { ...(those[0] as D), tally: sumOfTallies(those.map(({ tally }) => tally)) };
  });
}
