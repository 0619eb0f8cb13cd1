// Takes over a start that was sent before the database was restored, as if its answer came now.
import type { ExecutionStatus } from "../domain/execution.ts";
import type { FoundStart } from "../domain/found-starts.ts";
import { findExecution } from "../store/executions.ts";
import { refreshReadiness } from "../store/job-counts.ts";
import { loadRuns } from "../store/runs.ts";
import { applyFact } from "./apply-facts.ts";
import type { Context } from "./context.ts";

/**
 * False: the run waits for a retry, or its former execution is still watched; the claim of that attempt takes it over.
 * @param status Lyceum's word as a status; null for an unknown word
 */
export async function adoptStart(
  context: Context,
  { executionId, runId, attempt, lyceumExecutionId, rawStatus }: FoundStart,
  status: ExecutionStatus | null,
): Promise<boolean> {
  return context.store.write(async (tx) => {
    const [run] = (await loadRuns(tx.db, [runId])).map((loaded) => loaded.run);
    if (run === undefined) return false;
    const current = run.executionId === null ? null : await findExecution(tx.db, run.executionId);
    // An attempt is claimed a second time only if Lyceum did not take its first start.
    if (run.attempt === attempt && current?.phase === "submitting") {
      const fact = { type: "not_taken", retryAt: tx.now, reason: "restored", isSent: false } as const;
      await applyFact(context, tx, { executionId: current.id, fact });
    } else if (run.attempt + 1 !== attempt) return false;
    const claimed = await applyFact(context, tx, { runId, fact: { type: "claimed", executionId } });
    if (claimed?.changed !== true) return false;
    const fact = { type: "accepted", lyceumExecutionId, status, raw: rawStatus, found: true } as const;
    await applyFact(context, tx, { executionId, fact });
    await refreshReadiness(tx.db, run.jobId);
    return true;
  });
}
