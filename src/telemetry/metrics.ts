// Prometheus metrics. Labels never come from ids or callers' input, because each value makes a series.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "@prometheus-io/client";
import type { RunKind } from "../domain/spec.ts";
import { pauseReasons } from "../domain/start-pause.ts";
import { createStateMetrics } from "./state-metrics.ts";

const kinds = ["python", "image", "compose", "gpu_selection"] as const satisfies RunKind[];
const endStatuses = ["succeeded", "failed", "cancelled"] as const;
const submissionOutcomes = [
  "accepted",
  "refused",
  "throttled",
  "unauthorized",
  "unreachable",
  "unavailable",
  "unfunded",
  "stale",
  "unknown",
] as const;
const dispositions = ["received", "early", "duplicate", "late", "rejected"] as const;
const checkCauses = ["callback", "overdue", "routine", "search", "cancel"] as const;
const deliveryOutcomes = ["delivered", "retried", "failed"] as const;
const detectors = ["callback", "poll"] as const;

export type EndStatus = (typeof endStatuses)[number];
export type SubmissionOutcome = (typeof submissionOutcomes)[number];
/** `early`: before the answer to the start; `late`: after the end; `rejected`: wrong token or path. */
export type Disposition = (typeof dispositions)[number];
/** The reason of a check; `search` looks for a start whose answer was lost. */
export type CheckCause = (typeof checkCauses)[number];
export type DeliveryOutcome = (typeof deliveryOutcomes)[number];
export type Detector = (typeof detectors)[number];

export type Metrics = ReturnType<typeof createMetrics>;

/**
 * In seconds. Series of closed label lists start at 0, so that Prometheus sees the first increment.
 * @param options.process also measures the Node process: memory, event loop lag, garbage collection
 */
export function createMetrics(options: { process?: boolean } = {}) {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string = never>(name: string, help: string, labelNames: L[] = []) =>
    new Gauge({ name, help, labelNames, registers });
  const histogram = <L extends string = never>(
    name: string,
    help: string,
    labelNames: L[],
    buckets: number[],
  ) => new Histogram({ name, help, labelNames, buckets, registers });

  const metrics = {
    registry,
    state: createStateMetrics(registry),
    buildInfo: gauge("proctor_build_info", "1, labelled with what runs", ["version", "node"]),
    jobsSubmitted: counter(
      "proctor_jobs_submitted_total",
      "Jobs accepted and durable; replays are not counted",
    ),
    runsEnded: counter("proctor_runs_ended_total", "Runs that became terminal", ["status"]),
    executionsStarted: counter(
      "proctor_executions_started_total",
      "Executions created, before their start request",
      ["kind"],
    ),
    submissions: counter("proctor_submissions_total", "Start requests to Lyceum by outcome", ["outcome"]),
    callbacks: counter("proctor_callbacks_total", "Callbacks by disposition", ["disposition"]),
    callbacksMissed: counter(
      "proctor_callbacks_missed_total",
      "Ends that polling found although a callback was requested",
    ),
    checks: counter("proctor_checks_total", "Checks of executions at Lyceum by cause", ["cause"]),
    lyceumCalls: counter("proctor_lyceum_calls_total", "Requests to Lyceum", ["endpoint", "outcome"]),
    lyceumCallSeconds: histogram(
      "proctor_lyceum_call_seconds",
      "Duration of requests to Lyceum",
      ["endpoint"],
      // Lyceum's answers have taken 30 to 120 s.
      [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
    ),
    httpRequests: counter("proctor_http_requests_total", "Requests answered", ["route", "method", "status"]),
    httpRequestSeconds: histogram(
      "proctor_http_request_seconds",
      "Duration of requests, long polls included",
      ["route"],
      [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60],
    ),
    orphans: counter("proctor_orphans_total", "Lost executions that showed up at Lyceum"),
    deliveries: counter("proctor_webhook_deliveries_total", "Webhook delivery attempts by outcome", [
      "outcome",
    ]),
    deliverySeconds: histogram(
      "proctor_webhook_delivery_seconds",
      "Duration of webhook delivery attempts",
      ["outcome"],
      [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15],
    ),
    webhooksDisabled: counter(
      "proctor_webhooks_disabled_total",
      "Webhooks disabled because deliveries kept failing",
    ),
    backupFailures: counter("proctor_backup_failures_total", "Backups that were not made"),
    faults: counter("proctor_faults_total", "Unexpected errors by component", ["where"]),
    commitSeconds: histogram(
      "proctor_commit_seconds",
      "Duration of writing transactions, the wait for the disk included",
      [],
      [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    ),
    commitGroupSize: histogram(
      "proctor_commit_group_size",
      "Writes that shared a transaction and its commit",
      [],
      [1, 2, 4, 8, 16, 32, 64, 128, 256],
    ),
    rowsWithoutWakeup: gauge("proctor_rows_without_wakeup", "Unfinished rows without a wake-up; must be 0"),
    queueDepth: gauge("proctor_queue_depth", "Runs waiting for their start"),
    startsPaused: gauge("proctor_starts_paused", "1 while all starts are paused, by reason", ["reason"]),
    liveExecutions: gauge("proctor_live_executions", "Executions that may be running at Lyceum"),
    timeToKnowledgeSeconds: gauge(
      "proctor_time_to_knowledge_day_seconds",
      "From ends at Lyceum to Proctor's knowledge of them, over the last day and all instances",
      ["quantile"],
    ),
    knownInTimeRatio: gauge(
      "proctor_known_in_time_day_ratio",
      "Share of the last day's ends that were known within POLL_INTERVAL_MAX; 1 without ends",
    ),
    detectionDelaySeconds: histogram(
      "proctor_detection_delay_seconds",
      "Time from an execution's end at Lyceum to its detection",
      ["detected_by"],
      [0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600],
    ),
  };

  metrics.knownInTimeRatio.set(1);
  for (const status of endStatuses) metrics.runsEnded.inc({ status }, 0);
  for (const kind of kinds) metrics.executionsStarted.inc({ kind }, 0);
  for (const outcome of submissionOutcomes) metrics.submissions.inc({ outcome }, 0);
  for (const reason of pauseReasons) metrics.startsPaused.set({ reason }, 0);
  for (const disposition of dispositions) metrics.callbacks.inc({ disposition }, 0);
  for (const cause of checkCauses) metrics.checks.inc({ cause }, 0);
  for (const outcome of deliveryOutcomes) metrics.deliveries.inc({ outcome }, 0);
  for (const detected_by of detectors) metrics.detectionDelaySeconds.zero({ detected_by });
  if (options.process) collectDefaultMetrics({ register: registry });
  return metrics;
}
