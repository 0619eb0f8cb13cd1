// A retry by hand: a terminal run that did not succeed gets a new run in the same job, which names its origin.
import { addRun, type JobRow } from "../store/jobs.ts";
import { findRun, insertRuns, loadSpec, type NewRun, nextPosition, type RunRow } from "../store/runs.ts";
import type { Context } from "./context.ts";

export type Retried = { outcome: "created"; run: RunRow } | { outcome: "refused"; detail: string };

export async function retryRun(context: Context, job: JobRow, runId: string): Promise<Retried> {
  return context.store.write(async (tx): Promise<Retried> => {
    const origin = await findRun(tx.db, runId);
    if (origin === null) return { outcome: "refused", detail: "the run is gone" };
    if (origin.status !== "failed" && origin.status !== "cancelled") {
      return {
        outcome: "refused",
        detail: `the run is ${origin.status}; only a failed or cancelled one can be retried`,
      };
    }
    if (job.cancel_mode !== null && job.ended_at === null) {
      return { outcome: "refused", detail: "the job is being cancelled; retry once it is terminal" };
    }
    const id = tx.newId("run");
    const position = await nextPosition(tx.db, job.id);
    const run: NewRun = {
      id,
      jobId: job.id,
      position,
      specPosition: origin.spec_position,
      spec: await loadSpec(tx.db, runId),
      retryOf: runId,
      matrix: origin.matrix === null ? null : JSON.parse(origin.matrix),
    };
    await insertRuns(tx.db, [run], tx.now);
    await addRun(tx.db, job.id);
    tx.emit({ type: "run.queued", jobId: job.id, runId: id, data: { retry_of: runId } });
    tx.wake("dispatch", tx.now);
    const row = await findRun(tx.db, id);
    if (row === null) throw new Error(`run ${id} vanished within its own transaction`);
    return { outcome: "created", run: row };
  });
}
