// Accepts jobs: one transaction writes the job with its idempotency key, specs, runs and first events.
import { hash } from "node:crypto";
import { toNano } from "../domain/cost.ts";
import type { KeyQuota, QuotaExceeded } from "../domain/key-quota.ts";
import { combinations, type Matrix } from "../domain/matrix.ts";
import type { Policy, RetryClass } from "../domain/run.ts";
import type { RunSpec } from "../domain/spec.ts";
import { canonicalJson } from "../lib/json-text.ts";
import type { Db, Tx } from "../store/db/transaction.ts";
import { joinQueue } from "../store/fair-queue.ts";
import { findUsedKeys } from "../store/idempotency-keys.ts";
import { findJobs, insertJobs, type JobRow } from "../store/jobs.ts";
import type { NewRun } from "../store/run-rows.ts";
import { insertRuns } from "../store/runs.ts";
import { insertSpecs, type SpecEntry } from "../store/specs.ts";
import type { Context } from "./context.ts";
import { jobEvent } from "./job-progress.ts";
import { openQuotas } from "./key-quotas.ts";

export interface Submission {
  name: string | null;
  /** A spec makes one run, or one per combination of its matrix. `policy` overrides the job's. */
  runs: { spec: RunSpec; matrix: Matrix | null; policy?: Partial<Policy> }[];
  priority: number;
  maxParallel: number | null;
  onRunFailure: "continue" | "cancel_rest";
  onLost: "fail" | "retry";
  retry: { maxAttempts: number; on: RetryClass[] };
  deadlineS: number | null;
  budget: number | null;
  webhookUrl: string | null;
  metadata: unknown;
}

export interface Sender {
  apiKey: string;
  idempotencyKey: string | null;
  /** The request's JSON body. A repeated idempotency key must come with an equal one. */
  body: unknown;
  /** A job that is found again keeps its own trace. */
  traceparent?: string | null;
}

export type Submitted =
  | { outcome: "created" | "replayed"; job: JobRow }
  | Refused
  | { outcome: "full" }
  | { outcome: "quota"; exceeded: QuotaExceeded; runs: number };

export type Refused = { outcome: "mismatch" } | { outcome: "deleted" };

export async function findSubmitted(context: Context, sender: Sender): Promise<Submitted | null> {
  if (sender.idempotencyKey === null) return null;
  const request = { ...sender, bodyHash: bodyHashOf(sender) };
  const former = await formerSubmissions(context.store.db, [request]);
  return former(request);
}

function bodyHashOf({ idempotencyKey, body }: Sender): string | null {
  return idempotencyKey === null ? null : hash("sha256", canonicalJson(body), "base64url");
}

/** Resolves once the job is durable, or was found by its idempotency key. */
export async function submit(context: Context, sender: Sender, submission: Submission): Promise<Submitted> {
  const { apiKey, idempotencyKey } = sender;
  const bodyHash = bodyHashOf(sender);
  const request = {
    apiKey,
    idempotencyKey,
    bodyHash,
    submission,
    isFull: context.backlog.isFull(),
    quota: context.quotas.get(apiKey) ?? null,
    traceparent: sender.traceparent ?? null,
  };
  const submitted = await context.store.batchWrite(submitAll, request);
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

interface Request extends Keyed {
  submission: Submission;
  isFull: boolean;
  quota: KeyQuota | null;
  traceparent: string | null;
}

async function submitAll(tx: Tx, requests: Request[]): Promise<Submitted[]> {
  const former = await formerSubmissions(tx.db, requests);
  const created = new Map<string, JobRow>();
  const quotas = await openQuotas(
    tx,
    requests.map(({ quota }) => quota),
  );
  const lastTick = await joinQueue(tx.db, new Set(requests.map(({ apiKey }) => apiKey)), requests.length);
  const jobs: JobRow[] = [];
  const specs: SpecEntry[] = [];
  const runs: NewRun[] = [];

  const submitted = requests.map((request, index): Submitted => {
    const { apiKey, idempotencyKey, submission } = request;
    const duplicate = idempotencyKey === null ? undefined : created.get(nameOf(apiKey, idempotencyKey));
    const repeated = duplicate === undefined ? former(request) : answerRepeated(duplicate, request);
    if (repeated !== null) return repeated;
    if (request.isFull) return { outcome: "full" };
    const id = tx.newId("job");
    const runsOfJob = newRuns(tx, id, apiKey, submission);
    const exceeded = quotas.take(apiKey, runsOfJob.length);
    if (exceeded !== null) return { outcome: "quota", exceeded, runs: runsOfJob.length };
    const job = newJob(tx, request, {
      id,
      total: runsOfJob.length,
      last_served_seq: lastTick - requests.length + 1 + index,
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
    if (job.deadline_at !== null) tx.wake("enforce-limits", job.deadline_at);
    return { outcome: "created", job };
  });

  await quotas.save();
  await insertJobs(tx.db, jobs);
  await insertSpecs(tx.db, specs);
  await insertRuns(tx.db, runs, tx.now);
  return submitted;
}

async function formerSubmissions(db: Db, requests: Keyed[]): Promise<(request: Keyed) => Submitted | null> {
  const keys = requests.flatMap(({ apiKey, idempotencyKey }) =>
    idempotencyKey === null ? [] : [[apiKey, idempotencyKey] as const],
  );
  const used = new Map(
    (await findUsedKeys(db, keys)).map((row) => [nameOf(row.api_key, row.idempotency_key), row]),
  );
  const jobIds = [...used.values()].flatMap(({ job_id }) => job_id ?? []);
  const jobs = jobIds.length === 0 ? [] : await findJobs(db, jobIds);
  const jobOf = new Map(jobs.flatMap((job) => (job === null ? [] : [[job.id, job] as const])));
  return (request) => {
    const key = used.get(nameOf(request.apiKey, request.idempotencyKey ?? ""));
    if (key === undefined) return null;
    const job = jobOf.get(key.job_id ?? "");
    return job === undefined ? { outcome: "deleted" } : answerRepeated(job, request);
  };
}

function answerRepeated(job: JobRow, { bodyHash }: Keyed): Submitted {
  return job.body_hash === bodyHash ? { outcome: "replayed", job } : { outcome: "mismatch" };
}

function nameOf(apiKey: string, key: string): string {
  return `${apiKey}\n${key}`;
}

function newJob(
  tx: Tx,
  { apiKey, idempotencyKey, bodyHash, submission, traceparent }: Request,
  { id, total, last_served_seq }: Pick<JobRow, "id" | "total" | "last_served_seq">,
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
    last_served_seq,
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
    deletion_requested_at: null,
    deletion_due_at: null,
    deleted_at: null,
    traceparent,
  };
}

function newRuns(tx: Tx, jobId: string, apiKey: string, { runs }: Submission): NewRun[] {
  const expanded = runs.flatMap(({ spec, matrix }, specPosition) => {
    const rows = matrix === null ? [null] : combinations(matrix);
    return rows.map((values) => ({ specPosition, spec, matrix: values }));
  });
  return expanded.map((run, position) => ({
    ...run,
    id: tx.newId("run"),
    jobId,
    apiKey,
    position,
    retryOf: null,
  }));
}
