// What an execution costs is found when its end is known, and added to the totals in the same transaction; a budget
// that this uses up stops starts at once.
import { dayOf, difference, estimatedCost, tallyOf } from "../domain/cost.ts";
import type { Execution } from "../domain/execution.ts";
import { addToJob, addToKey, addUsage } from "../store/costs.ts";
import { priceOf } from "../store/machinetypes.ts";
import type { Tx } from "../store/transaction.ts";
import type { Context } from "./context.ts";

/** Where Lyceum names no bill: price times duration, if both are known. What was found once stays. */
export async function withCost(tx: Tx, execution: Execution, askedFor: string | null): Promise<Execution> {
  if (execution.detectedAt === null || execution.cost !== null) return execution;
  const hardware = execution.hardware ?? askedFor;
  const price = hardware === null ? null : await priceOf(tx.db, hardware);
  const cost = estimatedCost(execution, price);
  return cost === null ? execution : { ...execution, cost, costSource: "estimated" };
}

/** Moves the totals of the day, the job and the key by what is newly known. */
export async function charge(
  { report }: Context,
  tx: Tx,
  apiKey: string,
  before: Execution | null,
  after: Execution | null,
): Promise<void> {
  const change = difference(tallyOf(before), tallyOf(after));
  if (change === null || after === null || after.detectedAt === null) return;
  await addUsage(tx.db, dayOf(after.detectedAt), apiKey, change);
  if (await addToJob(tx.db, after.jobId, change, tx.now)) {
    tx.wake("steer", tx.now);
    report.budgetReached({ jobId: after.jobId, key: apiKey, heldUntil: null });
  }
  const key = await addToKey(tx.db, apiKey, after.detectedAt, change);
  if (key === undefined) return;
  tx.wake("dispatch", key.heldUntil ?? tx.now);
  if (key.heldUntil !== null) report.budgetReached({ jobId: null, key: apiKey, heldUntil: key.heldUntil });
}
