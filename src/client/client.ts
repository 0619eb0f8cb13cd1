// The client for queue workers: all routes, typed, over `fetch`. It ships alone and runs in Node and in browsers.
import type { ExecutionAlone, Job, ProctorEvent, ResultRow, Run } from "./answer.ts";
import {
  type Artifacts,
  type Metrics,
  type MetricsQuery,
  type Output,
  orNull,
  readLogs,
  type Timing,
} from "./artifacts.ts";
import { ProctorError } from "./error.ts";
import { type EventOptions, streamEvents } from "./events.ts";
import { type FollowOptions, followLogs } from "./follow-logs.ts";
import { pages } from "./pages.ts";
import type { InboxFilter, JobFilter, JobRequest, RunFilter, StatsQuery, UsageQuery } from "./request.ts";
import type {
  ApiKeys,
  Callback,
  Delivery,
  MachineTypes,
  Settings,
  Stats,
  Status,
  Stray,
  SubmittedSpec,
  Usage,
  Whoami,
} from "./service.ts";
import { sessionCalls } from "./session.ts";
import { createTransport, type TransportOptions } from "./transport.ts";
import { type WaitOptions, waitForEnd } from "./wait.ts";
import { webhookCalls } from "./webhooks.ts";

export type {
  Execution,
  ExecutionAlone,
  FailureReason,
  Job,
  JobStatus,
  Outcome,
  ProctorEvent,
  ResultRow,
  Run,
  RunStatus,
} from "./answer.ts";
export type { Artifacts, LogEntry, Logs, Metrics, MetricsQuery, Output, Timing } from "./artifacts.ts";
export { type Problem, ProctorError } from "./error.ts";
export type { EventOptions } from "./events.ts";
export type { FollowOptions } from "./follow-logs.ts";
export type {
  InboxFilter,
  JobFilter,
  JobRequest,
  RetryClass,
  RunFilter,
  RunRequest,
  UsageQuery,
} from "./request.ts";
export type {
  ApiKeys,
  Callback,
  Delivery,
  MachineTypes,
  Settings,
  Stats,
  Status,
  SubmittedSpec,
  Usage,
  Webhook,
  WebhookWithSecret,
  Whoami,
} from "./service.ts";
export type { RetryOptions } from "./transport.ts";
export type { WaitOptions } from "./wait.ts";
export {
  type VerifyOptions,
  verifyWebhook,
  type WebhookPayload,
  WebhookVerificationError,
} from "./webhook.ts";
export type ClientOptions = TransportOptions;
export type Client = ReturnType<typeof createClient>;

interface CallOptions {
  signal?: AbortSignal | undefined;
}

interface ListOptions extends CallOptions {
  /** Items per request, at most 1,000; default 200. */
  limit?: number | undefined;
}

interface CancelOptions extends CallOptions {
  /** `abort` (default) kills, `stop` ends gracefully. */
  mode?: "abort" | "stop";
}

/**
 * Every method throws ProctorError, or the reason of its signal.
 * @throws ProctorError with code `misconfigured` without a valid URL and API key in options or environment
 */
export function createClient(options: ClientOptions = {}) {
  const transport = createTransport(options);
  const { json, text } = transport;

  async function removeJob(
    jobId: string,
    { remote = false, signal }: CallOptions & { remote?: boolean } = {},
  ) {
    const call = { method: "DELETE", path: job(jobId), query: { remote }, signal } as const;
    await transport.none(call).catch((error: unknown) => {
      // The answer to an earlier attempt was lost, but the job was deleted.
      const isGone = error instanceof ProctorError && error.status === 404 && error.attempts > 1;
      if (!isGone) throw error;
    });
  }

  const client = {
    /** Safe to repeat: without an idempotency key a random one is used; the same key returns the same job. */
    submit: (
      request: JobRequest,
      { idempotencyKey, signal }: CallOptions & { idempotencyKey?: string | undefined } = {},
    ) =>
      json<Job>({
        method: "POST",
        path: "/v1/jobs",
        body: request,
        headers: { "Idempotency-Key": idempotencyKey ?? crypto.randomUUID() },
        signal,
      }),
    job: (jobId: string, { signal }: CallOptions = {}) => json<Job>({ path: job(jobId), signal }),
    jobs: (filter: JobFilter = {}, { signal, limit }: ListOptions = {}) =>
      pages<Job>(transport, { path: "/v1/jobs", query: { ...filter, ...(limit && { limit }) }, signal }),
    /** Resolves when the job is terminal, or when every run has an outcome. */
    wait: (jobId: string, options?: WaitOptions<Job>) =>
      waitForEnd(transport, job(jobId), ({ counts }) => counts.queued + counts.active === 0, options),
    /** Resolves when the run is terminal or has its outcome. After `retry` the job is terminal already. */
    waitRun: (runId: string, options?: WaitOptions<Run>) =>
      waitForEnd(transport, run(runId), ({ outcome }) => outcome !== null, options),
    /** `"all"`: of all visible jobs. */
    events: (jobId: string | "all", options?: EventOptions) =>
      streamEvents(transport, jobId === "all" ? "/v1/events" : `${job(jobId)}/events`, options),
    /** Until now, oldest first. */
    pastEvents: (
      jobId: string,
      { after, runId, limit, signal }: ListOptions & { after?: number; runId?: string | undefined } = {},
    ) =>
      pages<ProctorEvent>(transport, {
        path: `${job(jobId)}/events`,
        query: { last_event_id: after, run_id: runId, ...(limit && { limit }) },
        signal,
      }),
    deliveries: (jobId: string, { signal }: CallOptions = {}) =>
      pages<Delivery>(transport, { path: `${job(jobId)}/deliveries`, signal }),
    redeliver: (jobId: string, deliveryId: string) =>
      json<Delivery>({
        method: "POST",
        path: `${job(jobId)}/deliveries/${encodeURIComponent(deliveryId)}/redeliver`,
        repeatable: false,
      }),
    cancel: (jobId: string, { mode, signal }: CancelOptions = {}) =>
      json<Job>({ method: "POST", path: `${job(jobId)}/cancel`, body: { mode }, signal }),
    /** `remote` also deletes the records at Lyceum, before the job. */
    delete: removeJob,
    results: (jobId: string, { signal, limit }: ListOptions = {}) =>
      pages<ResultRow>(transport, {
        path: `${job(jobId)}/results`,
        query: { ...(limit && { limit }) },
        signal,
      }),
    resultsCsv: (jobId: string, { signal }: CallOptions = {}) =>
      text({ path: `${job(jobId)}/results`, headers: { Accept: "text/csv" }, signal }),

    /** A job's runs in the order of the submission; `"all"`: newest first. */
    runs: (jobId: string | "all", { signal, limit, ...filter }: RunFilter & ListOptions = {}) =>
      pages<Run>(transport, {
        path: jobId === "all" ? "/v1/runs" : `${job(jobId)}/runs`,
        query: { ...filter, ...(limit && { limit }) },
        signal,
      }),
    spec: (runId: string, { signal }: CallOptions = {}) =>
      json<SubmittedSpec>({ path: `${run(runId)}/spec`, signal }),
    run: (runId: string, { signal }: CallOptions = {}) => json<Run>({ path: run(runId), signal }),
    cancelRun: (runId: string, { mode, signal }: CancelOptions = {}) =>
      json<Run>({ method: "POST", path: `${run(runId)}/cancel`, body: { mode }, signal }),
    /** Not repeated on errors: each request adds a run. */
    retry: (runId: string, { signal }: CallOptions = {}) =>
      json<Run>({ method: "POST", path: `${run(runId)}/retry`, repeatable: false, signal }),

    output: (runId: string, { signal }: CallOptions = {}) =>
      json<Output>({ path: `${run(runId)}/output`, signal }),
    timing: (runId: string, { signal }: CallOptions = {}) =>
      json<Timing>({ path: `${run(runId)}/timing`, signal }),
    /** With a step or span, metrics are read from Lyceum now. */
    metrics: (runId: string, { signal, ...query }: MetricsQuery & CallOptions = {}) =>
      json<Metrics>({ path: `${run(runId)}/metrics`, query, signal, waitMs: 60_000 }),
    /** While the run lives, the lines that Lyceum shows now. */
    logs: (runId: string, { signal }: CallOptions = {}) =>
      transport.request({ path: `${run(runId)}/logs`, signal, waitMs: 60_000 }, readLogs),
    followLogs: (runId: string, options?: FollowOptions) =>
      followLogs(transport, `${run(runId)}/logs`, options),
    logsText: (runId: string, { signal }: CallOptions = {}) =>
      text({ path: `${run(runId)}/logs`, headers: { Accept: "text/plain" }, signal }),
    async artifacts(runId: string, options: CallOptions = {}): Promise<Artifacts> {
      const [output, logs, metrics, timing] = await Promise.all([
        orNull(client.output(runId, options)),
        orNull(client.logs(runId, options)),
        orNull(client.metrics(runId, options)),
        orNull(client.timing(runId, options)),
      ]);
      return { output, logs, metrics, timing };
    },

    execution: (executionId: string, { signal }: CallOptions = {}) =>
      json<ExecutionAlone>({ path: execution(executionId), signal }),
    callbacks: (executionId: string, { signal }: CallOptions = {}) =>
      pages<Callback>(transport, { path: `${execution(executionId)}/callbacks`, signal }),

    /** Callbacks of all executions, newest first. */
    inbox: (filter: InboxFilter = {}, { signal }: CallOptions = {}) =>
      pages<Callback>(transport, { path: "/v1/callbacks", query: { ...filter }, signal }),

    /** Executions that a restore found without their runs, newest first. Readers and administrators only. */
    strays: ({ signal }: CallOptions = {}) => pages<Stray>(transport, { path: "/v1/strays", signal }),

    whoami: ({ signal }: CallOptions = {}) => json<Whoami>({ path: "/v1/whoami", signal }),
    /** API keys with their budgets and quotas. */
    keys: ({ signal }: CallOptions = {}) => json<ApiKeys>({ path: "/v1/keys", signal }),
    /** Administrators only. */
    settings: ({ signal }: CallOptions = {}) => json<Settings>({ path: "/v1/settings", signal }),
    /** Series for charts. */
    stats: (query: StatsQuery = {}, { signal }: CallOptions = {}) =>
      json<Stats>({ path: "/v1/stats", query: { ...query }, signal }),
    status: ({ signal }: CallOptions = {}) => json<Status>({ path: "/v1/status", signal }),
    machineTypes: ({ signal }: CallOptions = {}) => json<MachineTypes>({ path: "/v1/machine-types", signal }),
    usage: (query: UsageQuery = {}, { signal }: CallOptions = {}) =>
      json<Usage>({ path: "/v1/usage", query: { ...query }, signal }),
    webhooks: webhookCalls(transport),
    session: sessionCalls(transport),
  };
  return client;
}

const job = (id: string) => `/v1/jobs/${encodeURIComponent(id)}`;
const run = (id: string) => `/v1/runs/${encodeURIComponent(id)}`;
const execution = (id: string) => `/v1/executions/${encodeURIComponent(id)}`;
