// A run as a row, and a row as a run.
import type { Insertable, Selectable } from "kysely";
import type { Cancellation, Fault, Policy, RetryClass, Run } from "../domain/run.ts";
import type { RunSpec } from "../domain/spec.ts";
import type { JobsTable, RunsTable } from "./db/schema.ts";

export type RunRow = Selectable<RunsTable>;

export interface NewRun {
  id: string;
  jobId: string;
  apiKey: string;
  position: number;
  specPosition: number;
  spec: RunSpec;
  retryOf: string | null;
  matrix: Record<string, string> | null;
}

export function toColumns(run: Run) {
  return {
    status: run.status,
    attempt: run.attempt,
    due_at: run.dueAt,
    execution_id: run.executionId,
    cancel_mode: run.cancellation?.mode ?? null,
    cancel_cause: run.cancellation?.cause ?? null,
    outcome: run.outcome,
    error_code: run.error?.code ?? null,
    error_detail: run.error?.detail ?? null,
    error_reason: run.error?.reason ?? null,
    started_at: run.startedAt,
    ended_at: run.endedAt,
  };
}

export function toRun(row: RunRow): Run {
  return {
    id: row.id,
    jobId: row.job_id,
    kind: row.kind,
    status: row.status,
    version: row.version,
    attempt: row.attempt,
    timeoutS: row.timeout_s,
    dueAt: row.due_at,
    executionId: row.execution_id,
    cancellation: toCancellation(row),
    outcome: row.outcome,
    error: toFault(row),
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

export function toFault({ error_code, error_detail, error_reason }: RunRow): Fault | null {
  return error_code === null ? null : { code: error_code, detail: error_detail ?? "", reason: error_reason };
}

export function toCancellation(row: Pick<RunRow, "cancel_mode" | "cancel_cause">): Cancellation | null {
  return row.cancel_mode === null || row.cancel_cause === null
    ? null
    : { mode: row.cancel_mode, cause: row.cancel_cause };
}

export type PolicyColumns = Pick<Selectable<JobsTable>, "retry_max_attempts" | "retry_on" | "on_lost"> & {
  policy: string | null;
};

/** With the overrides of the run's spec. */
export function toPolicy(row: PolicyColumns): Policy {
  const on = JSON.parse(row.retry_on) as RetryClass[];
  const jobPolicy = { retry: { maxAttempts: row.retry_max_attempts, on }, onLost: row.on_lost };
  return row.policy === null ? jobPolicy : { ...jobPolicy, ...(JSON.parse(row.policy) as Partial<Policy>) };
}

export function newRow(
  { id, jobId, apiKey, position, specPosition, spec, retryOf, matrix }: NewRun,
  now: number,
): Insertable<RunsTable> {
  return {
    id,
    job_id: jobId,
    api_key: apiKey,
    position,
    spec_position: specPosition,
    name: spec.name ?? null,
    kind: spec.kind,
    status: "queued",
    version: 0,
    attempt: 0,
    timeout_s: spec.timeout,
    execution_type: spec.kind === "gpu_selection" ? null : spec.execution_type,
    due_at: now,
    execution_id: null,
    cancel_mode: null,
    cancel_cause: null,
    outcome: null,
    error_code: null,
    error_detail: null,
    error_reason: null,
    retry_of: retryOf,
    matrix: matrix === null ? null : JSON.stringify(matrix),
    created_at: now,
    started_at: null,
    ended_at: null,
  };
}
