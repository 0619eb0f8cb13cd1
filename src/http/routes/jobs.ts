// Submitting, reading, cancelling and deleting jobs.
import type { JobDetailsView } from "../../contract/job.ts";
import * as operations from "../../contract/operations/jobs.ts";
import type { FieldError } from "../../contract/problem.ts";
import { entryOf, hints } from "../../contract/run-spec.ts";
import {
  idempotencyKey,
  MAX_BODY_BYTES,
  parseSubmission,
  type Submission,
} from "../../contract/submission.ts";
import { isUndecided } from "../../domain/job.ts";
import { estimateStart } from "../../domain/start-estimate.ts";
import { cancelJob } from "../../orchestration/cancel.ts";
import { deleteJob, requestRemoteDeletion } from "../../orchestration/delete-job.ts";
import { findSubmitted, type Submitted, submit } from "../../orchestration/submit-job.ts";
import { heldUntil, queuePosition } from "../../store/fair-queue.ts";
import { listJobs } from "../../store/job-list.ts";
import type { JobRow } from "../../store/jobs.ts";
import { ownerSeenBy } from "../auth.ts";
import { pageOf, readCursor } from "../cursor.ts";
import { waitForEnd } from "../events/long-poll.ts";
import { traceForJob, traceUrlOf } from "../job-trace.ts";
import { invalid, problem } from "../problem.ts";
import { quotaProblem } from "../quota-problem.ts";
import { callerOf, readJson } from "../read-request.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { resources, visibleJob } from "../resources.ts";
import { type Input, type Route, route } from "../route.ts";
import { hardwareWarnings } from "../submission-warnings.ts";
import { toValidated, validate } from "../validate.ts";
import { iso, viewJob } from "../views/view.ts";

export const jobRoutes: Route[] = [
  route({
    method: "POST",
    path: "/v1/jobs",
    access: "write",
    operation: operations.submitJob,
    handle: postJob,
  }),
  route({
    method: "GET",
    path: "/v1/jobs",
    access: "read",
    isLarge: true,
    operation: operations.listJobs,
    handle: getJobs,
  }),
  route({
    method: "GET",
    path: "/v1/jobs/:job",
    access: "read",
    operation: operations.getJob,
    handle: getJob,
  }),
  route({
    method: "DELETE",
    path: "/v1/jobs/:job",
    access: "write",
    operation: operations.deleteJob,
    handle: removeJob,
  }),
  route({
    method: "POST",
    path: "/v1/jobs/:job/cancel",
    access: "write",
    operation: operations.cancelJob,
    handle: postCancel,
  }),
];

const maybeIdempotencyKey = idempotencyKey.optional();

/** Reads the body itself: a replay is answered even if the body would be refused today. */
async function postJob({ c, context }: Input<typeof operations.submitJob>) {
  const startedAt = context.now();
  const key = idempotencyKeyOf(c);
  if (!key.ok) return invalid(c, key.errors);
  const json = await readJson(c, MAX_BODY_BYTES);
  if (!json.ok) return json.answer;
  const { traceparent, own } = traceForJob(context, c.req.header("traceparent"));
  const sender = {
    apiKey: callerOf(c).name,
    idempotencyKey: key.value ?? null,
    body: json.asWritten,
    traceparent,
  };
  const body = toValidated(await parseSubmission(json.value), { hints });
  const errors = body.ok ? await webhookErrors(context, body.value.webhook_url) : body.errors;
  if (!body.ok || errors.length > 0) {
    const former = await findSubmitted(context, sender);
    return former === null ? invalid(c, errors) : answerSubmitted(c, former, []);
  }
  const value = withNumbersAsWritten(body.value, json.asWritten);
  const submitted = await submit(context, sender, {
    name: value.name ?? null,
    runs: value.runs.map(entryOf),
    priority: value.priority,
    maxParallel: value.max_parallel ?? null,
    onRunFailure: value.on_run_failure,
    onLost: value.on_lost,
    retry: { maxAttempts: value.retry.max_attempts, on: value.retry.on },
    deadlineS: value.deadline_s ?? null,
    budget: value.budget ?? null,
    webhookUrl: value.webhook_url ?? null,
    metadata: value.metadata,
  });
  if (submitted.outcome === "created" && own !== null) {
    const durationMs = context.now() - startedAt;
    context.report.jobTraced({ jobId: submitted.job.id, ...own, durationMs });
  }
  return answerSubmitted(c, submitted, await hardwareWarnings(context, value));
}

/** Keeps numbers as written in `metadata` and `extra`: Proctor only passes these fields on or back. */
function withNumbersAsWritten(value: Submission, asWritten: unknown): Submission {
  const { metadata, runs } = asWritten as Pick<Submission, "metadata" | "runs">;
  return {
    ...value,
    metadata,
    runs: value.runs.map((run, index) =>
      run.extra === undefined ? run : { ...run, extra: runs[index]?.extra },
    ),
  };
}

/** A repeated header is refused: two keys would be ambiguous. */
function idempotencyKeyOf(c: RequestContext) {
  const pointer = "header:Idempotency-Key";
  const distinct = c.env?.incoming?.headersDistinct["idempotency-key"] ?? [];
  if (distinct.length > 1)
    return {
      ok: false as const,
      errors: [{ pointer, detail: "is given more than once; give one value" }],
    };
  return validate(maybeIdempotencyKey, c.req.header("Idempotency-Key"), { pointer: () => pointer });
}

function answerSubmitted(c: RequestContext, submitted: Submitted, warnings: FieldError[]): Response {
  if (submitted.outcome === "deleted") {
    const detail = "the job of this Idempotency-Key was deleted; use a new key for a new job";
    return problem(c, "job-deleted", detail);
  }
  if (submitted.outcome === "mismatch") {
    const detail = "this Idempotency-Key was used with another body; use a new key for a new job";
    return problem(c, "idempotency-mismatch", detail, [{ pointer: "header:Idempotency-Key", detail }]);
  }
  if (submitted.outcome === "full") {
    c.header("Retry-After", "60");
    return problem(c, "queue-full", "a million runs are waiting to start; try again later");
  }
  if (submitted.outcome === "quota") return quotaProblem(c, submitted.exceeded, submitted.runs);
  c.set("ids", { job_id: submitted.job.id });
  const isReplay = submitted.outcome === "replayed";
  c.header("Location", `/v1/jobs/${submitted.job.id}`);
  if (isReplay) c.header("Idempotency-Replayed", "true");
  return c.json({ ...viewJob(submitted.job, callerOf(c)), warnings }, isReplay ? 200 : 202);
}

/** A temporary DNS failure must not reject a job. */
async function webhookErrors(context: AppContext, url: string | null | undefined): Promise<FieldError[]> {
  const pointer = "/webhook_url";
  if (url == null) return [];
  if (!context.signsForJobs)
    return [{ pointer, detail: "is not accepted: this service has no WEBHOOK_SECRET to sign deliveries" }];
  const found = await context.webhookProblem(url);
  return found?.lasts ? [{ pointer, detail: found.detail }] : [];
}

async function getJobs({ c, context, query }: Input<typeof operations.listJobs>) {
  const { limit, cursor, status, name, key, created_after, created_before } = query;
  const before = readCursor(cursor, "job");
  if (!before.ok) return invalid(c, before.errors);
  const caller = callerOf(c);
  const owner = ownerSeenBy(caller);
  // Another key's jobs are as if there were none.
  const isForeign = owner !== null && key !== undefined && key !== owner;
  const filter = {
    ...{ key: owner ?? key, statuses: status, name },
    ...{ createdAfter: created_after, createdBefore: created_before, before: before.value },
  };
  const found = isForeign ? { rows: [], next: null } : await listJobs(context.store.db, filter, limit);
  return c.json(pageOf(found, "job", (job: JobRow) => viewJob(job, caller)));
}

async function getJob({ c, context, query, job }: Input<typeof operations.getJob, "job">) {
  const current = await waitForEnd(c, context, {
    current: job,
    waitMs: query.wait,
    awaited: query.for,
    read: () => visibleJob(c, context, job.id),
    isDecided: (found) => !isUndecided(found),
  });
  if (current instanceof Response) return current;
  if (current === null) return problem(c, "not-found", resources.job.notFound);
  const view: JobDetailsView = {
    ...viewJob(current, callerOf(c)),
    queue: await viewQueue(context, current),
    trace_url: traceUrlOf(context, current.traceparent),
  };
  return c.json(view);
}

/** Until the job's first start. */
async function viewQueue(context: AppContext, job: JobRow) {
  if (job.status !== "queued") return null;
  const position = await queuePosition(context.store.db, job);
  const { buckets, startPause } = await context.lyceumState();
  const startAt = Math.max(
    estimateStart(position, buckets.execution, context.now()),
    startPause?.probeAt ?? 0,
    job.ready_at ?? 0,
    (await heldUntil(context.store.db, job.api_key)) ?? 0,
  );
  return { position, estimated_start_at: iso(startAt) };
}

/** `remote=true` answers 202, and deletes the records at Lyceum first. */
async function removeJob({ c, context, query, job }: Input<typeof operations.deleteJob, "job">) {
  // A second request without `remote` must not cancel the deletion at Lyceum.
  const isRemote = query.remote || job.deletion_due_at !== null;
  const isDone = isRemote
    ? await requestRemoteDeletion(context, job.id)
    : await context.store.write((tx) => deleteJob(tx, job.id, { remembersKey: true }));
  if (!isDone) return problem(c, "conflict", NOT_DELETABLE);
  if (!isRemote) return c.body(null, 204);
  return c.json(viewJob((await visibleJob(c, context, job.id)) ?? job, callerOf(c)), 202);
}

const NOT_DELETABLE =
  "the job has runs that have not ended (cancel it first), or a lost execution that may still show up (wait an hour)";

async function postCancel({ c, context, body, job }: Input<typeof operations.cancelJob, "job">) {
  await cancelJob(context, job, { mode: body.mode, cause: "request" });
  return c.json(viewJob((await visibleJob(c, context, job.id)) ?? job, callerOf(c)));
}
