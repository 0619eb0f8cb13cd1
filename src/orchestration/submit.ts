// Accepting a job: one transaction writes the job, its runs, the idempotency key and the first events.
import { createHash } from "node:crypto";
import { toNano } from "../domain/cost.ts";
import { combinations, type Matrix } from "../domain/matrix.ts";
import type { Policy, RetryClass } from "../domain/run.ts";
import type { RunSpec } from "../domain/spec.ts";
import { nextTicks } from "../store/counters.ts";
import { findIdempotencyKey, insertIdempotencyKey } from "../store/idempotency.ts";
import { findJob, insertJob, type JobRow } from "../store/jobs.ts";
import { insertRuns, type NewRun } from "../store/runs.ts";
import { insertSpecs } from "../store/specs.ts";
import type { Tx } from "../store/transaction.ts";
import type { Context } from "./context.ts";
import { jobEvent } from "./settle.ts";

export interface Submission {
  name: string | null;
  /** Each spec stands for a run per combination of its matrix, or for one; `policy` overrules the job's for them. */
  runs: { spec: RunSpec; matrix: Matrix | null; policy?: Partial<Policy> }[];
  priority: number;
  maxParallel: number | null;
  onRunFailure: "continue" | "cancel_rest";
  onLost: "fail" | "retry";
  retry: { maxAttempts: number; on: RetryClass[] };
  deadlineS: number | null;
  /** Credits. */
  budget: number | null;
  /** Gets the job's end. */
  webhookUrl: string | null;
  metadata: unknown;
}

export interface Sender {
  apiKey: string;
  idempotencyKey: string | null;
  /** What the idempotency key stands for: the request's body as it came. */
  body: string;
}

export type Submitted =
  | { outcome: "created" | "replayed"; job: JobRow }
  /** The idempotency key was used for another body. */
  | { outcome: "mismatch" };

export async function submit(context: Context, sender: Sender, submission: Submission): Promise<Submitted> {
  const bodyHash = createHash("sha256").update(sender.body).digest("base64url");
  const submitted = await context.store.write(async (tx): Promise<Submitted> => {
    if (sender.idempotencyKey !== null) {
      const known = await findIdempotencyKey(tx.db, sender.apiKey, sender.idempotencyKey);
      if (known !== null && known.body_hash !== bodyHash) return { outcome: "mismatch" };
      const job = known === null ? null : await findJob(tx.db, known.job_id, sender.apiKey);
      if (job !== null) return { outcome: "replayed", job };
    }
    const job = await insert(tx, sender, submission);
    if (sender.idempotencyKey !== null) {
      await insertIdempotencyKey(tx.db, {
        api_key: sender.apiKey,
        key: sender.idempotencyKey,
        body_hash: bodyHash,
        job_id: job.id,
      });
    }
    return { outcome: "created", job };
  });
  if (submitted.outcome === "created") {
    context.report.jobSubmitted({ jobId: submitted.job.id, runs: submitted.job.total, key: sender.apiKey });
  }
  return submitted;
}

async function insert(tx: Tx, sender: Sender, submission: Submission): Promise<JobRow> {
  const id = tx.newId("job");
  const runs = newRuns(tx, id, submission);
  const total = runs.length;
  const deadlineAt = submission.deadlineS === null ? null : tx.now + submission.deadlineS * 1000;
  const job: JobRow = {
    id,
    api_key: sender.apiKey,
    name: submission.name,
    status: "queued",
    priority: submission.priority,
    max_parallel: submission.maxParallel,
    on_run_failure: submission.onRunFailure,
    on_lost: submission.onLost,
    retry_max_attempts: submission.retry.maxAttempts,
    retry_on: JSON.stringify(submission.retry.on),
    metadata: submission.metadata === undefined ? null : JSON.stringify(submission.metadata),
    webhook_url: submission.webhookUrl,
    deadline_at: deadlineAt,
    cancel_mode: null,
    cancel_cause: null,
    due_at: deadlineAt,
    ready_at: tx.now,
    // A new job joins the end of the round: it must not push in before a job that has waited longer.
    served: await nextTicks(tx.db, "dispatch.tick", 1),
    total,
    queued: total,
    active: 0,
    collecting: 0,
    succeeded: 0,
    failed: 0,
    cancelled: 0,
    created_at: tx.now,
    started_at: null,
    ended_at: null,
    billed_nano: 0,
    estimated_nano: 0,
    unpriced: 0,
    budget_nano: submission.budget === null ? null : toNano(submission.budget),
    budget_reached_at: null,
    erase_requested_at: null,
    erase_at: null,
  };
  await insertJob(tx.db, job);
  await insertSpecs(tx.db, id, submission.runs);
  await insertRuns(tx.db, runs, tx.now);
  tx.emit(
    jobEvent(job, "created"),
    ...runs.map(({ id }) => ({ type: "run.queued" as const, jobId: job.id, runId: id, data: {} })),
  );
  tx.wake("dispatch", tx.now);
  if (deadlineAt !== null) tx.wake("steer", deadlineAt);
  return job;
}

function newRuns(tx: Tx, jobId: string, { runs }: Submission): NewRun[] {
  const expanded = runs.flatMap(({ spec, matrix }, specPosition) => {
    const values = matrix === null ? [null] : combinations(matrix);
    return values.map((one) => ({ specPosition, spec, matrix: one }));
  });
  return expanded.map((run, position) => ({ ...run, id: tx.newId("run"), jobId, position, retryOf: null }));
}
