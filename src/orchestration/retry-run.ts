// Retries by hand: a failed or cancelled run gets a new run in the same job, which names its origin.
import type { QuotaExceeded } from "../domain/key-quota.ts";
import type { Db } from "../store/db/transaction.ts";
import { addRun, refreshReadiness } from "../store/job-counts.ts";
import { findJob, type JobRow } from "../store/jobs.ts";
import type { NewRun, RunRow } from "../store/run-rows.ts";
import { findRun, insertRuns } from "../store/runs.ts";
import { loadSpec } from "../store/specs.ts";
import type { Context } from "./context.ts";
import { openQuotas } from "./key-quotas.ts";

export type Retried =
  | { type: "created"; run: RunRow }
  | { type: "refused"; detail: string }
  | { type: "quota"; exceeded: QuotaExceeded };

export async function retryRun(context: Context, job: JobRow, runId: string): Promise<Retried> {
  return context.store.write(async (tx): Promise<Retried> => {
    const origin = await findRun(tx.db, runId);
    if (origin === null) return { type: "refused", detail: "the run is gone" };
    if (origin.status !== "failed" && origin.status !== "cancelled") {
      return {
        type: "refused",
        detail: `the run is ${origin.status}; only a failed or cancelled one can be retried`,
      };
    }
    const quotas = await openQuotas(tx, [context.quotas.get(job.api_key) ?? null]);
    const exceeded = quotas.take(job.api_key, 1);
    if (exceeded !== null) return { type: "quota", exceeded };
    const position = await addRun(tx.db, job.id);
    if (position === null) {
      return { type: "refused", detail: await refusal(tx.db, job.id) };
    }
    await quotas.save();
    const id = tx.newId("run");
    const run: NewRun = {
      id,
      jobId: job.id,
      apiKey: job.api_key,
      position,
      specPosition: origin.spec_position,
      spec: await loadSpec(tx.db, origin),
      retryOf: runId,
      matrix: origin.matrix === null ? null : JSON.parse(origin.matrix),
    };
    await insertRuns(tx.db, [run], tx.now);
    await refreshReadiness(tx.db, job.id);
    tx.emit({ type: "run.queued", jobId: job.id, runId: id, data: { retry_of: runId } });
    tx.wake("dispatch", tx.now);
    const row = await findRun(tx.db, id);
    if (row === null) throw new Error(`run ${id} vanished within its own transaction`);
    return { type: "created", run: row };
  });
}

async function refusal(db: Db, jobId: string): Promise<string> {
  const job = await findJob(db, jobId);
  if (job === null || job.deletion_due_at !== null) return "the job is being deleted";
  if (job.budget_reached_at !== null) return "the job's budget is used up; submit a new job";
  return "the job is being cancelled; retry once it is terminal";
}
