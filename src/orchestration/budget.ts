// A job whose budget is used up: what still waits is ended as failed, a bounded number at a time, so that the job
// comes to its end. What is alive goes on.
import { awaitDeadline, type JobRow, setJobDue } from "../store/jobs.ts";
import { queuedRuns } from "../store/runs.ts";
import type { Tx } from "../store/transaction.ts";
import type { Context } from "./context.ts";
import { settleAll } from "./settle.ts";

export async function endOverBudget(context: Context, tx: Tx, { id }: JobRow): Promise<void> {
  const runIds = await queuedRuns(tx.db, id, RUNS_AT_ONCE);
  await settleAll(
    context,
    tx,
    runIds.map((runId) => ({ runId, fact: { fact: "over_budget" } })),
  );
  if (runIds.length < RUNS_AT_ONCE) return awaitDeadline(tx.db, id);
  await setJobDue(tx.db, id, tx.now);
  tx.wake("steer", tx.now);
}

const RUNS_AT_ONCE = 200;
