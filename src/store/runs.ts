// Runs: inserted, loaded with their job's policy, saved by compare-and-set.
import { type Insertable, type Selectable, sql } from "kysely";
import type { Cancellation, CancelMode, Fault, Policy, RetryClass, Run } from "../domain/run.ts";
import type { RunSpec } from "../domain/spec.ts";
import { changedColumns, insertRows, updateRows } from "./db/rows.ts";
import type { JobsTable, RunsTable } from "./db/schema.ts";
import { statement, statementForRows, statementWithLimit } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";

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

export async function insertRuns(db: Db, runs: NewRun[], now: number): Promise<void> {
  await insertRows(
    db,
    "runs",
    runs.map((run) => newRow(run, now)),
  );
}

export type RunRow = Selectable<RunsTable>;

export async function findRun(db: Db, id: string): Promise<RunRow | null> {
  return (await selectRun(db, { id })).rows[0] ?? null;
}

/** In any order. */
export const findRuns = statementForRows<string, RunRow>((db, ids) =>
  db.selectFrom("runs").selectAll().where("id", "in", ids),
);

const selectRun = statement<{ id: string }, RunRow>((db, { id }) =>
  db.selectFrom("runs").selectAll().where("id", "=", id),
);

/** In the order of the submission. */
export async function listRuns(
  db: Db,
  jobId: string,
  afterPosition: number,
  limit: number,
): Promise<RunRow[]> {
  return db
    .selectFrom("runs")
    .selectAll()
    .where("job_id", "=", jobId)
    .where("position", ">", afterPosition)
    .orderBy("position")
    .limit(limit)
    .execute();
}

export interface LoadedRun {
  run: Run;
  policy: Policy;
  durationKey: string;
  apiKey: string;
  createdAt: number;
  /** The requested hardware. */
  executionType: string | null;
}

export async function loadRuns(db: Db, ids: string[]): Promise<LoadedRun[]> {
  const rows = await selectRuns(db, ids);
  return rows.map((row) => {
    const durationKey = [row.api_key, row.job_name, row.name, row.kind, row.execution_type].join(" ");
    const { api_key: apiKey, execution_type: executionType, created_at: createdAt } = row;
    return { run: toRun(row), policy: toPolicy(row), durationKey, apiKey, executionType, createdAt };
  });
}

interface RunWithJob extends RunRow, PolicyColumns {
  job_name: string | null;
}

// Not a join: with statistics of ANALYZE, SQLite would plan a join again at each execution.
const selectRuns = statementForRows<string, RunWithJob>((_db, ids) => {
  const jobColumn = (column: string) =>
    sql`(select ${sql.ref(`jobs.${column}`)} from jobs where jobs.id = runs.job_id)`;
  return sql<RunWithJob>`select runs.*, ${jobColumn("name")} as job_name,
    ${jobColumn("retry_max_attempts")} as retry_max_attempts, ${jobColumn("retry_on")} as retry_on,
    ${jobColumn("on_lost")} as on_lost,
    (select policy from specs where specs.job_id = runs.job_id and specs.position = runs.spec_position) as policy
    from runs where runs.id in (${sql.join(ids)})`;
});

/** Longest waiting first. */
export async function nextQueuedRuns(
  db: Db,
  jobId: string,
  now: number,
  limit: number,
): Promise<QueuedRun[]> {
  return (await selectQueued(db, { jobId, now }, limit)).rows;
}

export type QueuedRun = Pick<RunRow, "id" | "job_id" | "spec_position" | "matrix" | "attempt">;

// `in`, not `=`: with an `order by`, SQLite would plan `=` with a parameter again at each execution.
const selectQueued = statementWithLimit<{ jobId: string; now: number }, QueuedRun>(
  (db, { jobId, now }, limit) =>
    db
      .selectFrom("runs")
      .select(["id", "job_id", "spec_position", "matrix", "attempt"])
      .where("job_id", "in", [jobId])
      .where(sql<boolean>`status = 'queued'`)
      .where("due_at", "<=", now)
      .orderBy("due_at")
      .orderBy("position")
      .limit(limit),
);

/** Retries that wait for their time included. */
export async function queuedRuns(db: Db, jobId: string, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom("runs")
    .select("id")
    .where("job_id", "=", jobId)
    .where(sql<boolean>`status = 'queued'`)
    .orderBy("due_at")
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

/** A cancellation of this mode has not reached them yet. */
export async function runsToCancel(
  db: Db,
  jobId: string,
  mode: CancelMode,
  limit: number,
): Promise<string[]> {
  const rows = await db
    .selectFrom("runs")
    .select("id")
    .where("job_id", "=", jobId)
    .where("status", "in", ["queued", "active"])
    .where((eb) => {
      const isNew = eb("cancel_mode", "is", null);
      // A stop may become an abort, never the other way round.
      return mode === "abort" ? eb.or([isNew, eb("cancel_mode", "=", "stop")]) : isNew;
    })
    .orderBy("position")
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

export interface RunChange {
  before: Run;
  after: Run;
}

/** @throws Conflict when another transaction saved one of the runs since it was read. */
export async function saveRuns(db: Db, changes: readonly RunChange[]): Promise<void> {
  const changed = changes.map(({ before, after }) => ({
    before,
    set: changedColumns(toColumns(before), toColumns(after)),
  }));
  await updateRows(db, "runs", changed);
}

function toColumns(run: Run) {
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

type PolicyColumns = Pick<Selectable<JobsTable>, "retry_max_attempts" | "retry_on" | "on_lost"> & {
  policy: string | null;
};

/** With the overrides of the run's spec. */
function toPolicy(row: PolicyColumns): Policy {
  const on = JSON.parse(row.retry_on) as RetryClass[];
  const jobPolicy = { retry: { maxAttempts: row.retry_max_attempts, on }, onLost: row.on_lost };
  return row.policy === null ? jobPolicy : { ...jobPolicy, ...(JSON.parse(row.policy) as Partial<Policy>) };
}

function newRow(
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
