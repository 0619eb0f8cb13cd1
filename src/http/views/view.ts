// Turns rows into the objects of the API.
import type { EventView } from "../../contract/events.ts";
import type { ExecutionView } from "../../contract/execution.ts";
import type { CostView, JobView } from "../../contract/job.ts";
import type { ArtifactView, RunView } from "../../contract/run.ts";
import { durationMs, sumOf, toCredits } from "../../domain/cost.ts";
import type { Execution } from "../../domain/execution.ts";
import { findingsOf, idleShareOf } from "../../domain/findings.ts";
import { compare, type RecordSummary } from "../../domain/gpu-selection.ts";
import { type Counts, progress } from "../../domain/job.ts";
import type { MetricsSummary } from "../../domain/metrics.ts";
import { isTerminal, type RetryClass } from "../../domain/run.ts";
import { parseAsWritten } from "../../lib/json-text.ts";
import type { ArtifactState } from "../../store/artifacts.ts";
import type { ArtifactKind } from "../../store/db/schema.ts";
import { type EventRow, eventId } from "../../store/events.ts";
import { countsOf } from "../../store/job-counts.ts";
import type { JobRow } from "../../store/jobs.ts";
import { type RunRow, toCancellation, toFault } from "../../store/run-rows.ts";
import type { Caller } from "../auth.ts";

/** Readers see only the origin of a webhook's URL: its path may be a secret. */
export function webhookUrlFor({ role }: Caller, url: string): string {
  return role === "read" ? new URL(url).origin : url;
}

export function viewJob(job: JobRow, caller: Caller): JobView {
  const counts: Counts = countsOf(job);
  const { billed_nano: billedNano, estimated_nano: estimatedNano, unpriced } = job;
  return {
    id: job.id,
    name: job.name,
    status: job.status,
    counts,
    progress: progress(counts),
    priority: job.priority,
    max_parallel: job.max_parallel,
    on_run_failure: job.on_run_failure,
    on_lost: job.on_lost,
    retry: { max_attempts: job.retry_max_attempts, on: JSON.parse(job.retry_on) as RetryClass[] },
    metadata: job.metadata === null ? null : parseAsWritten(job.metadata),
    webhook_url: job.webhook_url === null ? null : webhookUrlFor(caller, job.webhook_url),
    cancellation: toCancellation(job),
    cost: viewCost({ billedNano, estimatedNano, unpriced }),
    budget: viewBudget(job),
    deadline_at: iso(job.deadline_at),
    created_at: iso(job.created_at),
    started_at: iso(job.started_at),
    ended_at: iso(job.ended_at),
    deletion_requested_at: iso(job.deletion_requested_at),
  };
}

/** Amounts in credits. `unpriced` counts ended executions of unknown cost. */
export function viewCost(cost: { billedNano: number; estimatedNano: number; unpriced: number }): CostView {
  const { billedNano, estimatedNano, unpriced } = cost;
  return {
    total: toCredits(billedNano + estimatedNano),
    billed: toCredits(billedNano),
    estimated: toCredits(estimatedNano),
    unpriced,
  };
}

function viewBudget({ budget_nano, budget_reached_at, billed_nano, estimated_nano }: JobRow) {
  if (budget_nano === null) return null;
  const spent = toCredits(billed_nano + estimated_nano);
  return { limit: toCredits(budget_nano), spent, reached: budget_reached_at !== null };
}

/** Fields of Lyceum come from the last execution, the cost from all. */
export function viewRun(run: RunRow, executions: Execution[], artifacts: ArtifactState[]): RunView {
  const last = executions.find((execution) => execution.id === run.execution_id);
  const ofLast = artifacts.filter((artifact) => artifact.execution_id === last?.id);
  const spent = sumOf(executions.map(({ cost, costSource }) => ({ cost, source: costSource })));
  const metrics = summaryOf<MetricsSummary>(ofLast, "metrics");
  return {
    id: run.id,
    job_id: run.job_id,
    position: run.position,
    name: run.name,
    kind: run.kind,
    status: run.status,
    outcome: run.outcome,
    attempts: run.attempt,
    execution_type: run.execution_type,
    timeout: run.timeout_s,
    matrix: run.matrix === null ? null : (JSON.parse(run.matrix) as Record<string, string>),
    retry_of: run.retry_of,
    cancellation: toCancellation(run),
    error: toFault(run),
    created_at: iso(run.created_at),
    started_at: iso(run.started_at),
    ended_at: iso(run.ended_at),
    not_before: iso(run.due_at),
    lyceum_execution_id: last?.lyceumExecutionId ?? null,
    detected_by: last?.detectedBy ?? null,
    return_code: last?.returnCode ?? null,
    duration_ms: last === undefined ? null : durationMs(last),
    cost: spent.cost,
    cost_source: spent.source,
    hardware: last?.hardware ?? null,
    gpu: viewGpu(last, metrics),
    findings:
      last === undefined ? [] : findingsOf({ summary: metrics, hardware: last.hardware, cost: last.cost }),
    gpu_selection: viewSelection(run, ofLast),
    artifacts: viewArtifacts(run, ofLast),
    executions: executions.map(viewExecution),
  };
}

export function viewExecution(execution: Execution): ExecutionView {
  return {
    id: execution.id,
    run_id: execution.runId,
    job_id: execution.jobId,
    attempt: execution.attempt,
    status: execution.status,
    raw_status: execution.rawStatus,
    in_doubt: execution.phase === "submitting" && execution.inDoubtAt !== null,
    lyceum_execution_id: execution.lyceumExecutionId,
    detected_by: execution.detectedBy,
    return_code: execution.returnCode,
    duration_ms: durationMs(execution),
    cost: execution.cost,
    cost_source: execution.costSource,
    hardware: execution.hardware,
    error: execution.error,
    submitted_at: iso(execution.submittedAt),
    accepted_at: iso(execution.acceptedAt),
    started_at: iso(execution.startedAt),
    ended_at: iso(execution.endedAt),
    detected_at: iso(execution.detectedAt),
    next_check_at: iso(execution.dueAt),
  };
}

export function viewEvent(row: EventRow): EventView {
  return {
    id: eventId(row),
    seq: row.seq,
    type: row.type,
    created_at: iso(row.created_at),
    job_id: row.job_id,
    ...(row.run_id === null ? {} : { run_id: row.run_id }),
    ...(row.execution_id === null ? {} : { execution_id: row.execution_id }),
    data: JSON.parse(row.data),
  };
}

function summaryOf<T>(artifacts: ArtifactState[], kind: ArtifactKind): T | null {
  return (artifacts.find((artifact) => artifact.kind === kind)?.summary ?? null) as T | null;
}

/** Fastest first; null for other kinds of run. */
function viewSelection({ kind }: RunRow, artifacts: ArtifactState[]) {
  if (kind !== "gpu_selection") return null;
  return compare(summaryOf<RecordSummary>(artifacts, "record")?.gpu_selection ?? []);
}

function viewGpu(execution: Execution | undefined, summary: MetricsSummary | null) {
  if (execution === undefined || summary === null || summary.gpu_idle_share === null) return null;
  return {
    hardware: execution.hardware,
    utilization_percent: summary.series.gpu_utilization_percent,
    memory_utilization_percent: summary.series.gpu_memory_utilization_percent,
    energy_wh: summary.energy_wh,
    idle_share: idleShareOf(summary),
  };
}

function viewArtifacts(run: RunRow, artifacts: ArtifactState[]): RunView["artifacts"] {
  const reason = unavailableReason(run);
  const missing = { state: reason === null ? "pending" : "unavailable", reason, fetched_at: null } as const;
  const view = (kind: ArtifactKind): ArtifactView => {
    const { state, reason, fetched_at } = artifacts.find((artifact) => artifact.kind === kind) ?? missing;
    return { state, reason, fetched_at: iso(fetched_at) };
  };
  return { record: view("record"), timing: view("timing"), logs: view("logs"), metrics: view("metrics") };
}

/** Null while the artifact may come. Otherwise nothing of the run ran, or Lyceum has no record. */
export function unavailableReason({ status, error_code, error_detail }: RunRow): string | null {
  if (!isTerminal(status)) return null;
  const cause = [error_code, error_detail].filter(Boolean).join(": ");
  return `the run ended without it${cause === "" ? "" : ` (${cause})`}`;
}

export function iso(at: number): string;
export function iso(at: number | null): string | null;
export function iso(at: number | null): string | null {
  if (at === null) return null;
  const known = written.get(at);
  if (known !== undefined) return known;
  if (written.size >= MAX_WRITTEN) written.clear();
  const text = new Date(at).toISOString();
  written.set(at, text);
  return text;
}

/** Callers that poll read the same times again; formatting them took a tenth of a read. */
const written = new Map<number, string>();
const MAX_WRITTEN = 10_000;
