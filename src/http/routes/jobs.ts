// Submitting, reading and ending jobs.

import type { JobDetailsView } from "../../contract/job.ts";
import * as operations from "../../contract/operations/jobs.ts";
import type { FieldError } from "../../contract/problem.ts";
import { jobsQuery, page, removeQuery, waitQuery } from "../../contract/query.ts";
import type { RunView } from "../../contract/run.ts";
import { entryOf, hints } from "../../contract/run-spec.ts";
import {
  cancelBody,
  idempotencyKey,
  MAX_BODY_BYTES,
  type Submission,
  submissionReader,
} from "../../contract/submission.ts";
import { isUndecided } from "../../domain/job.ts";
import { estimateStart } from "../../domain/start-estimate.ts";
import { cancelJob } from "../../orchestration/cancel.ts";
import { eraseJob } from "../../orchestration/delete-job.ts";
import { findSubmitted, type Submitted, submit } from "../../orchestration/submit-job.ts";
import { heldUntil, queuePosition } from "../../store/fair-queue.ts";
import { deleteJob, type JobRow, listJobs } from "../../store/jobs.ts";
import { listRuns, type RunRow } from "../../store/runs.ts";
import { ownerSeenBy } from "../auth.ts";
import { cursorOf, readCursor, toPage } from "../cursor.ts";
import { waitForEnd } from "../events/long-poll.ts";
import { invalid, problem } from "../problem.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { callerOf, idIn, jsonBody, queryOf, type Route, readJson } from "../route.ts";
import { validate } from "../validate.ts";
import { iso, viewJob } from "../views/view.ts";
import { jobOf, noJob } from "../visible-job.ts";
import { viewRuns } from "./runs.ts";

export const jobRoutes: Route[] = [
  { method: "POST", path: "/v1/jobs", access: "write", operation: operations.submitJob, handle: postJob },
  {
    method: "GET",
    path: "/v1/jobs",
    access: "read",
    isLarge: true,
    operation: operations.listJobs,
    handle: getJobs,
  },
  { method: "GET", path: "/v1/jobs/:job", access: "read", operation: operations.getJob, handle: getJob },
  {
    method: "DELETE",
    path: "/v1/jobs/:job",
    access: "write",
    operation: operations.deleteJob,
    handle: removeJob,
  },
  {
    method: "GET",
    path: "/v1/jobs/:job/runs",
    isLarge: true,
    access: "read",
    operation: operations.listRuns,
    handle: getRuns,
  },
  {
    method: "POST",
    path: "/v1/jobs/:job/cancel",
    access: "write",
    operation: operations.cancelJob,
    handle: postCancel,
  },
];

const maybeIdempotencyKey = idempotencyKey.optional();

async function postJob(c: RequestContext, desk: AppContext): Promise<Response> {
  const key = idempotencyKeyOf(c);
  if (!key.ok) return invalid(c, key.errors);
  const json = await readJson(c, MAX_BODY_BYTES);
  if (!json.ok) return json.answer;
  const sender = { apiKey: callerOf(c).name, idempotencyKey: key.value ?? null, body: json.asWritten };
  const body = validate(submissionReader, json.value, { hints });
  const errors = body.ok ? await webhookErrors(desk, body.value.webhook_url) : body.errors;
  if (!body.ok || errors.length > 0) {
    const former = await findSubmitted(desk, sender);
    return former === null ? invalid(c, errors) : answerSubmitted(c, former);
  }
  const value = withNumbersAsWritten(body.value, json.asWritten);
  const submitted = await submit(desk, sender, {
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
  return answerSubmitted(c, submitted);
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

/** Given once: of two, nobody could say which one the other submission had. */
function idempotencyKeyOf(c: RequestContext) {
  const pointer = "header:Idempotency-Key";
  const distinct = c.env?.incoming?.headersDistinct["idempotency-key"] ?? [];
  if (distinct.length > 1)
    return {
      ok: false as const,
      errors: [{ pointer, detail: "is given more than once; give it one value" }],
    };
  return validate(maybeIdempotencyKey, c.req.header("Idempotency-Key"), { pointer: () => pointer });
}

function answerSubmitted(c: RequestContext, submitted: Submitted): Response {
  if (submitted.outcome === "deleted") {
    const detail = "the job of this Idempotency-Key was deleted; use a new key for a new job";
    return problem(c, "job-deleted", detail);
  }
  if (submitted.outcome === "mismatch") {
    const detail = "this Idempotency-Key came with another body; use a new key for a new job";
    return problem(c, "idempotency-mismatch", detail, [{ pointer: "header:Idempotency-Key", detail }]);
  }
  if (submitted.outcome === "full") {
    c.header("Retry-After", "60");
    return problem(c, "queue-full", "a million runs wait for their start; send it again in a while");
  }
  const isReplay = submitted.outcome === "replayed";
  c.header("Location", `/v1/jobs/${submitted.job.id}`);
  if (isReplay) c.header("Idempotency-Replayed", "true");
  return c.json(viewJob(submitted.job, callerOf(c)), isReplay ? 200 : 202);
}

/** A name that cannot be resolved just now must not cost a worker its job. */
async function webhookErrors(desk: AppContext, url: string | null | undefined): Promise<FieldError[]> {
  const pointer = "/webhook_url";
  if (url == null) return [];
  if (!desk.signsForJobs)
    return [{ pointer, detail: "is not taken: this service has no WEBHOOK_SECRET to sign with" }];
  const found = await desk.webhookProblem(url);
  return found?.lasts ? [{ pointer, detail: found.detail }] : [];
}

async function getJobs(c: RequestContext, desk: AppContext): Promise<Response> {
  const query = queryOf(c, jobsQuery);
  if (!query.ok) return invalid(c, query.errors);
  const { limit, cursor, status, name, created_after, created_before } = query.value;
  const before = readCursor(cursor, "job");
  if (!before.ok) return invalid(c, before.errors);
  const times = { createdAfter: created_after, createdBefore: created_before };
  const filter = { owner: ownerSeenBy(callerOf(c)), status, name, before: before.value, ...times };
  const jobs = await listJobs(desk.store.db, filter, limit + 1);
  const caller = callerOf(c);
  const view = (job: JobRow) => viewJob(job, caller);
  return c.json(toPage(jobs, limit, view, (job) => cursorOf("job", job.id)));
}

async function getJob(c: RequestContext, desk: AppContext): Promise<Response> {
  const query = queryOf(c, waitQuery);
  if (!query.ok) return invalid(c, query.errors);
  const job = await waitForEnd(c, desk, {
    id: idIn(c, "job"),
    waitMs: query.value.wait,
    awaited: query.value.for,
    look: () => jobOf(c, desk),
    isDecided: (found) => !isUndecided(found),
  });
  if (job instanceof Response) return job;
  return job === null ? noJob(c) : answerDetails(c, desk, job);
}

async function answerDetails(c: RequestContext, desk: AppContext, job: JobRow): Promise<Response> {
  const view: JobDetailsView = { ...viewJob(job, callerOf(c)), queue: await viewQueue(desk, job) };
  return c.json(view);
}

/** Where the job's next run stands, while it waits for its first start. */
async function viewQueue(desk: AppContext, job: JobRow) {
  if (job.status !== "queued") return null;
  const position = await queuePosition(desk.store.db, job);
  const { groups, startPause } = desk.lyceumState();
  const startAt = Math.max(
    estimateStart(position, groups.execution, desk.now()),
    startPause?.probeAt ?? 0,
    job.ready_at ?? 0,
    (await heldUntil(desk.store.db, job.api_key)) ?? 0,
  );
  return { position, estimated_start_at: iso(startAt) };
}

/** With `remote=true` the records at Lyceum go first, and the job with the last of them: 202, and 404 in the end. */
async function removeJob(c: RequestContext, desk: AppContext): Promise<Response> {
  const query = queryOf(c, removeQuery);
  if (!query.ok) return invalid(c, query.errors);
  const job = await jobOf(c, desk);
  if (job === null) return noJob(c);
  // What was promised for Lyceum's records is not forgotten by a second request.
  const isRemote = query.value.remote || job.erase_at !== null;
  const isDone = isRemote
    ? await eraseJob(desk, job.id)
    : await desk.store.write((tx) => deleteJob(tx.db, job.id, tx.now));
  if (!isDone) return problem(c, "conflict", NOT_DELETABLE);
  if (!isRemote) return c.body(null, 204);
  return c.json(viewJob((await jobOf(c, desk)) ?? job, callerOf(c)), 202);
}

const NOT_DELETABLE =
  "the job has runs that have not ended: cancel it first; or a lost execution that is watched for: wait an hour";

function getRuns(c: RequestContext, desk: AppContext): Promise<Response> {
  return pageOfRuns(c, desk, (run) => run);
}

/** A page of the job's runs in the order of the submission, each as `show` makes it of its view. */
export async function pageOfRuns<T>(
  c: RequestContext,
  desk: AppContext,
  show: (run: RunView) => T,
): Promise<Response> {
  const query = queryOf(c, page);
  if (!query.ok) return invalid(c, query.errors);
  const job = await jobOf(c, desk);
  if (job === null) return noJob(c);
  const { limit, cursor } = query.value;
  const after = readCursor(cursor, "position");
  if (!after.ok) return invalid(c, after.errors);
  const runs = await listRuns(desk.store.db, job.id, Number(after.value ?? -1), limit + 1);
  const view = await viewRuns(desk, runs);
  const toRow = (run: RunRow) => show(view(run));
  return c.json(toPage(runs, limit, toRow, (run) => cursorOf("position", run.position)));
}

async function postCancel(c: RequestContext, desk: AppContext): Promise<Response> {
  const body = await jsonBody(c, cancelBody);
  if (!body.ok) return body.answer;
  const job = await jobOf(c, desk);
  if (job === null) return noJob(c);
  await cancelJob(desk, job, { mode: body.value.mode, cause: "request" });
  return c.json(viewJob((await jobOf(c, desk)) ?? job, callerOf(c)));
}
