// Runs: inserted, loaded with their job's policy, saved by compare-and-set.
import { sql } from "kysely";
import type { CancelMode, Policy, Run } from "../domain/run.ts";
import { changedColumns, insertRows, updateRows } from "./db/rows.ts";
import { statement, statementForRows, statementWithLimit, valuesTable } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";
import {
  type NewRun,
  newRow,
  type PolicyColumns,
  type RunRow,
  toColumns,
  toPolicy,
  toRun,
} from "./run-rows.ts";

export async function insertRuns(db: Db, runs: NewRun[], now: number): Promise<void> {
  await insertRows(
    db,
    "runs",
    runs.map((run) => newRow(run, now)),
  );
}

export async function findRun(db: Db, id: string): Promise<RunRow | null> {
  return (await selectRun(db, { id })).rows[0] ?? null;
}

export const findRuns = statementForRows<string, RunRow>((db, ids) =>
  db.selectFrom("runs").selectAll().where("id", "in", ids),
);

const selectRun = statement<{ id: string }, RunRow>((db, { id }) =>
  db.selectFrom("runs").selectAll().where("id", "=", id),
);

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

/** The run of each job that waits longest; jobs without one are left out. */
export async function firstQueuedRuns(db: Db, jobIds: readonly string[], now: number): Promise<QueuedRun[]> {
  return selectFirstQueued(
    db,
    jobIds.map((jobId) => [jobId, now] as const),
  );
}

const selectFirstQueued = statementForRows<readonly [jobId: string, now: number], QueuedRun>(
  (db, rows) => sql<QueuedRun>`select id, job_id, spec_position, matrix, attempt from runs where id in (
    select (select id from runs where job_id = asked.column1 and status = 'queued' and due_at <= asked.column2
      order by due_at, position limit 1)
    from ${valuesTable(db, ["text", "bigint"], rows.length)} as asked)`,
);

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

/** Runs that a cancellation of this mode has not reached yet. */
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
