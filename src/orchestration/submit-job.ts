// Accepting jobs: one transaction writes the job with its idempotency key, its runs and the first events, and those of
// all other jobs that come in the same turn.
import { hash } from "node:crypto";
import { toNano } from "../domain/cost.ts";
import { combinations, type Matrix } from "../domain/matrix.ts";
import type { Policy, RetryClass } from "../domain/run.ts";
import type { RunSpec } from "../domain/spec.ts";
import { canonicalJson } from "../lib/json-text.ts";
import { incrementCounter } from "../store/counters.ts";
import type { Db, Tx } from "../store/db/transaction.ts";
import { findDeletedKeys } from "../store/deleted-keys.ts";
import { findJobsByIdempotency, insertJobs, type JobRow } from "../store/jobs.ts";
import { insertRuns, type NewRun } from "../store/runs.ts";
import { insertSpecs, type SpecEntry } from "../store/specs.ts";
import type { Context } from "./context.ts";
import { jobEvent } from "./job-progress.ts";

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
  /** The request's body, of which the idempotency key stands for the value. */
  body: unknown;
}

export type Submitted =
  | { outcome: "created" | "replayed"; job: JobRow }
  | Refused
  /** As many runs wait as may. */
  | { outcome: "full" };

export type Refused =
  /** The idempotency key was used for another body. */
  | { outcome: "mismatch" }
  /** The job that was submitted with this key has been deleted. */
  | { outcome: "deleted" };

/**
 * Finds the former submission with this idempotency key, or null. Look before judging a submission: the
 * answer to a repeated request must not depend on today's judgement.
 */
export async function findSubmitted(context: Context, sender: Sender): Promise<Submitted | null> {
  if (sender.idempotencyKey === null) return null;
  const asked = { ...sender, bodyHash: bodyHashOf(sender) };
  const former = await formerSubmissions(context.store.db, [asked]);
  return former(asked);
}

/** Equal JSON values have the same hash, however they are written. */
function bodyHashOf({ idempotencyKey, body }: Sender): string | null {
  return idempotencyKey === null ? null : hash("sha256", canonicalJson(body), "base64url");
}

/** Resolves once the job is durable, or was found to be so already. */
export async function submit(context: Context, sender: Sender, submission: Submission): Promise<Submitted> {
  const { apiKey, idempotencyKey } = sender;
  const bodyHash = bodyHashOf(sender);
  const asked = { apiKey, idempotencyKey, bodyHash, submission, isFull: context.backlog.isFull() };
  const submitted = await context.store.batchWrite(submitAll, asked);
  if (submitted.outcome === "created") {
    context.backlog.took(submitted.job.total);
    context.report.jobSubmitted({ jobId: submitted.job.id, runs: submitted.job.total, key: apiKey });
  }
  return submitted;
}

interface Keyed {
  apiKey: string;
  idempotencyKey: string | null;
  bodyHash: string | null;
}

interface Asked extends Keyed {
  submission: Submission;
  isFull: boolean;
}

async function submitAll(tx: Tx, all: Asked[]): Promise<Submitted[]> {
  const former = await formerSubmissions(tx.db, all);
  /** Jobs of this transaction, by API key and idempotency key. */
  const created = new Map<string, JobRow>();
  // A new job joins the end of the round: it must not push in before a job that has waited longer.
  const lastTick = await incrementCounter(tx.db, "dispatch.tick", all.length);
  const jobs: JobRow[] = [];
  const specs: SpecEntry[] = [];
  const runs: NewRun[] = [];

  const submitted = all.map((asked, index): Submitted => {
    const { apiKey, idempotencyKey, submission } = asked;
    const twin = idempotencyKey === null ? undefined : created.get(nameOf(apiKey, idempotencyKey));
    const before = twin === undefined ? former(asked) : repeated(twin, asked);
    if (before !== null) return before;
    if (asked.isFull) return { outcome: "full" };
    const id = tx.newId("job");
    const runsOfJob = newRuns(tx, id, submission);
    const job = newJob(tx, asked, {
      id,
      total: runsOfJob.length,
      served: lastTick - all.length + 1 + index,
    });
    jobs.push(job);
    specs.push(
      ...submission.runs.map(({ spec, policy }, position) => ({ jobId: id, position, spec, policy })),
    );
    for (const run of runsOfJob) runs.push(run);
    if (idempotencyKey !== null) created.set(nameOf(apiKey, idempotencyKey), job);
    tx.emit(jobEvent(job, "created"));
    for (const run of runsOfJob) tx.emit({ type: "run.queued", jobId: id, runId: run.id, data: {} });
    tx.wake("dispatch", tx.now);
    if (job.deadline_at !== null) tx.wake("steer", job.deadline_at);
    return { outcome: "created", job };
  });

  await insertJobs(tx.db, jobs);
  await insertSpecs(tx.db, specs);
  await insertRuns(tx.db, runs, tx.now);
  return submitted;
}

/** Looks up the former use of each idempotency key that the submissions name. */
async function formerSubmissions(db: Db, all: Keyed[]): Promise<(asked: Keyed) => Submitted | null> {
  const named = all.flatMap(({ apiKey, idempotencyKey }) =>
    idempotencyKey === null ? [] : [[apiKey, idempotencyKey] as const],
  );
  const jobs = await findJobsByIdempotency(db, named);
  const known = new Map(jobs.map((job) => [nameOf(job.api_key, job.idempotency_key ?? ""), job]));
  const unknown = named.filter(([apiKey, key]) => !known.has(nameOf(apiKey, key)));
  const deleted = new Set(
    (await findDeletedKeys(db, unknown)).map((row) => nameOf(row.api_key, row.idempotency_key)),
  );
  return (asked) => {
    const name = nameOf(asked.apiKey, asked.idempotencyKey ?? "");
    const job = known.get(name);
    if (job !== undefined) return repeated(job, asked);
    return deleted.has(name) ? { outcome: "deleted" } : null;
  };
}

function repeated(job: JobRow, { bodyHash }: Keyed): Submitted {
  return job.body_hash === bodyHash ? { outcome: "replayed", job } : { outcome: "mismatch" };
}

/** Names of API keys hold no line feed. */
function nameOf(apiKey: string, key: string): string {
  return `${apiKey}\n${key}`;
}

function newJob(
  tx: Tx,
  { apiKey, idempotencyKey, bodyHash, submission }: Asked,
  { id, total, served }: Pick<JobRow, "id" | "total" | "served">,
): JobRow {
  const deadlineAt = submission.deadlineS === null ? null : tx.now + submission.deadlineS * 1000;
  return {
    id,
    api_key: apiKey,
    idempotency_key: idempotencyKey,
    body_hash: bodyHash,
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
    served,
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
}

function newRuns(tx: Tx, jobId: string, { runs }: Submission): NewRun[] {
  const expanded = runs.flatMap(({ spec, matrix }, specPosition) => {
    const values = matrix === null ? [null] : combinations(matrix);
    return values.map((one) => ({ specPosition, spec, matrix: one }));
  });
  return expanded.map((run, position) => ({ ...run, id: tx.newId("run"), jobId, position, retryOf: null }));
}
