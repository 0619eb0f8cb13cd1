// The client for queue workers: everything the service offers, typed, over `fetch`. It imports nothing but its own
// folder, so that it ships alone and runs in Node and in browsers.
import type { Execution, Job, ProctorEvent, ResultRow, Run } from "./answer.ts";
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
import { pages } from "./pages.ts";
import type { InboxFilter, JobFilter, JobRequest, UsageQuery } from "./request.ts";
import type {
  Callback,
  Delivery,
  MachineTypes,
  Settings,
  Status,
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
export type { InboxFilter, JobFilter, JobRequest, RetryClass, RunRequest, UsageQuery } from "./request.ts";
export type {
  Callback,
  Delivery,
  MachineTypes,
  Settings,
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

interface Aside {
  signal?: AbortSignal | undefined;
}

interface ListOptions extends Aside {
  /** Items per request, 1,000 at most; 200 by default. */
  limit?: number | undefined;
}

interface CancelOptions extends Aside {
  /** `abort` (default) kills, `stop` ends gracefully. */
  mode?: "abort" | "stop";
}

/**
 * A client of one service with one API key. Every method throws ProctorError, or the reason of its signal.
 * @throws ProctorError of code `misconfigured` when neither the options nor the environment name both, or the URL is none
 */
export function createClient(options: ClientOptions = {}) {
  const transport = createTransport(options);
  const { json, text } = transport;

  async function removeJob(jobId: string, { remote = false, signal }: Aside & { remote?: boolean } = {}) {
    const call = { method: "DELETE", path: job(jobId), query: { remote }, signal } as const;
    await transport.none(call).catch((error: unknown) => {
      // The answer to an earlier attempt was lost: it had gone well.
      const isGone = error instanceof ProctorError && error.status === 404 && error.attempts > 1;
      if (!isGone) throw error;
    });
  }

  const client = {
    /**
     * Hands in a job. Repeated safely: a key is made up when none is given. With a key of your own (your queue's job
     * id), whoever hands it in again gets the same job.
     */
    submit: (
      request: JobRequest,
      { idempotencyKey, signal }: Aside & { idempotencyKey?: string | undefined } = {},
    ) =>
      json<Job>({
        method: "POST",
        path: "/v1/jobs",
        body: request,
        headers: { "Idempotency-Key": idempotencyKey ?? crypto.randomUUID() },
        signal,
      }),
    job: (jobId: string, { signal }: Aside = {}) => json<Job>({ path: job(jobId), signal }),
    /** Newest first. */
    jobs: (filter: JobFilter = {}, { signal, limit }: ListOptions = {}) =>
      pages<Job>(transport, { path: "/v1/jobs", query: { ...filter, ...(limit && { limit }) }, signal }),
    /** The job, once it is terminal; or once every run of it has an outcome. */
    wait: (jobId: string, options?: WaitOptions<Job>) =>
      waitForEnd(transport, job(jobId), ({ counts }) => counts.queued + counts.active === 0, options),
    /** The run, once it is terminal, or has its outcome: of use after `retry`, when its job has been so before. */
    waitRun: (runId: string, options?: WaitOptions<Run>) =>
      waitForEnd(transport, run(runId), ({ outcome }) => outcome !== null, options),
    /** A job's events, or with `"all"` those of all jobs that the key may see. */
    events: (jobId: string | "all", options?: EventOptions) =>
      streamEvents(transport, jobId === "all" ? "/v1/events" : `${job(jobId)}/events`, options),
    /** The same, oldest first, as far as they have happened by now. */
    pastEvents: (jobId: string, { after, limit, signal }: ListOptions & { after?: number } = {}) =>
      pages<ProctorEvent>(transport, {
        path: `${job(jobId)}/events`,
        query: { last_event_id: after, ...(limit && { limit }) },
        signal,
      }),
    /** What was sent to the job's own `webhook_url`. */
    deliveries: (jobId: string, { signal }: Aside = {}) =>
      pages<Delivery>(transport, { path: `${job(jobId)}/deliveries`, signal }),
    redeliver: (jobId: string, deliveryId: string) =>
      json<Delivery>({
        method: "POST",
        path: `${job(jobId)}/deliveries/${encodeURIComponent(deliveryId)}/redeliver`,
        repeatable: false,
      }),
    /** With everything that is alive of it. Idempotent. */
    cancel: (jobId: string, { mode, signal }: CancelOptions = {}) =>
      json<Job>({ method: "POST", path: `${job(jobId)}/cancel`, body: { mode }, signal }),
    /** Terminal jobs only. `remote`: the records at Lyceum go first, and the job with the last of them. */
    delete: removeJob,
    /** A row per run. */
    results: (jobId: string, { signal, limit }: ListOptions = {}) =>
      pages<ResultRow>(transport, {
        path: `${job(jobId)}/results`,
        query: { ...(limit && { limit }) },
        signal,
      }),
    resultsCsv: (jobId: string, { signal }: Aside = {}) =>
      text({ path: `${job(jobId)}/results`, headers: { Accept: "text/csv" }, signal }),

    runs: (jobId: string, { signal, limit }: ListOptions = {}) =>
      pages<Run>(transport, { path: `${job(jobId)}/runs`, query: { ...(limit && { limit }) }, signal }),
    /** What was submitted for it, without secrets. */
    spec: (runId: string, { signal }: Aside = {}) =>
      json<SubmittedSpec>({ path: `${run(runId)}/spec`, signal }),
    run: (runId: string, { signal }: Aside = {}) => json<Run>({ path: run(runId), signal }),
    cancelRun: (runId: string, { mode, signal }: CancelOptions = {}) =>
      json<Run>({ method: "POST", path: `${run(runId)}/cancel`, body: { mode }, signal }),
    /** A new run in the same job. Not repeated: each request makes another one. */
    retry: (runId: string, { signal }: Aside = {}) =>
      json<Run>({ method: "POST", path: `${run(runId)}/retry`, repeatable: false, signal }),

    output: (runId: string, { signal }: Aside = {}) => json<Output>({ path: `${run(runId)}/output`, signal }),
    timing: (runId: string, { signal }: Aside = {}) => json<Timing>({ path: `${run(runId)}/timing`, signal }),
    /** As they were stored after the end; in another step or span, as Lyceum says now. */
    metrics: (runId: string, { signal, ...query }: MetricsQuery & Aside = {}) =>
      json<Metrics>({ path: `${run(runId)}/metrics`, query, signal, waitMs: 60_000 }),
    logs: (runId: string, { signal }: Aside = {}) =>
      transport.request({ path: `${run(runId)}/logs`, signal }, readLogs),
    logsText: (runId: string, { signal }: Aside = {}) =>
      text({ path: `${run(runId)}/logs`, headers: { Accept: "text/plain" }, signal }),
    /** Everything that was fetched of the run, in one go. */
    async artifacts(runId: string, aside: Aside = {}): Promise<Artifacts> {
      const [output, logs, metrics, timing] = await Promise.all([
        orNull(client.output(runId, aside)),
        orNull(client.logs(runId, aside)),
        orNull(client.metrics(runId, aside)),
        orNull(client.timing(runId, aside)),
      ]);
      return { output, logs, metrics, timing };
    },

    execution: (executionId: string, { signal }: Aside = {}) =>
      json<Execution>({ path: execution(executionId), signal }),
    callbacks: (executionId: string, { signal }: Aside = {}) =>
      pages<Callback>(transport, { path: `${execution(executionId)}/callbacks`, signal }),

    /** Callbacks of all executions, newest first. */
    inbox: (filter: InboxFilter = {}, { signal }: Aside = {}) =>
      pages<Callback>(transport, { path: "/v1/callbacks", query: { ...filter }, signal }),

    whoami: ({ signal }: Aside = {}) => json<Whoami>({ path: "/v1/whoami", signal }),
    /** Administrators only. */
    settings: ({ signal }: Aside = {}) => json<Settings>({ path: "/v1/settings", signal }),
    status: ({ signal }: Aside = {}) => json<Status>({ path: "/v1/status", signal }),
    machineTypes: ({ signal }: Aside = {}) => json<MachineTypes>({ path: "/v1/machine-types", signal }),
    usage: (query: UsageQuery = {}, { signal }: Aside = {}) =>
      json<Usage>({ path: "/v1/usage", query: { ...query }, signal }),
    webhooks: webhookCalls(transport),
    session: sessionCalls(transport),
  };
  return client;
}

const job = (id: string) => `/v1/jobs/${encodeURIComponent(id)}`;
const run = (id: string) => `/v1/runs/${encodeURIComponent(id)}`;
const execution = (id: string) => `/v1/executions/${encodeURIComponent(id)}`;
