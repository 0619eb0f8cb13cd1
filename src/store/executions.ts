// Executions: load, and save by compare-and-set.
import { type Insertable, type Selectable, sql } from "kysely";
import type { Execution, Phase } from "../domain/execution.ts";
import type { ExecutionsTable } from "./db/schema.ts";
import { changedColumns, insertRows, type RowChange, statementOn, updateRows } from "./db/statements.ts";
import { Conflict, type Db } from "./db/transaction.ts";

export async function findExecution(db: Db, id: string): Promise<Execution | null> {
  return (await findExecutions(db, [id]))[0] ?? null;
}

/** Those that there are, in any order. */
export async function findExecutions(db: Db, ids: string[]): Promise<Execution[]> {
  const rows = await selectExecutions(db, ids);
  return rows.map(toExecution);
}

const selectExecutions = statementOn<string, Selectable<ExecutionsTable>>((db, ids) =>
  db.selectFrom("executions").selectAll().where("id", "in", ids),
);

/** Which executions have these ids at Lyceum; the oldest where several do. */
export async function findHolders(db: Db, lyceumIds: string[]): Promise<Map<string, string>> {
  const rows = await selectHolders(db, lyceumIds);
  rows.sort((a, b) => (a.id < b.id ? 1 : -1));
  return new Map(rows.map(({ id, lyceum_execution_id }) => [lyceum_execution_id ?? "", id]));
}

const selectHolders = statementOn<string, Pick<Selectable<ExecutionsTable>, "id" | "lyceum_execution_id">>(
  (db, ids) =>
    db
      .selectFrom("executions")
      .select(["id", "lyceum_execution_id"])
      .where("lyceum_execution_id", "is not", sql.lit(null))
      .where("lyceum_execution_id", "in", ids),
);

/** Executions of several runs, oldest attempt first. */
export async function listExecutions(db: Db, runIds: string[]): Promise<Execution[]> {
  if (runIds.length === 0) return [];
  const rows = await db
    .selectFrom("executions")
    .selectAll()
    .where("run_id", "in", runIds)
    .orderBy("run_id")
    .orderBy("attempt")
    .execute();
  return rows.map(toExecution);
}

export interface ExecutionChange {
  /** As it was read; null: there was none. */
  before: Execution | null;
  /** Null: it never came to be. Another one than before: it is new. */
  after: Execution | null;
}

/**
 * @param claimedBy the instance that starts the new ones
 * @throws Conflict when somebody saved one of them since it was read.
 */
export async function saveExecutions(
  db: Db,
  changes: readonly ExecutionChange[],
  claimedBy: string | null = null,
): Promise<void> {
  const fresh: Execution[] = [];
  const changed: RowChange<"executions">[] = [];
  for (const { before, after } of changes) {
    if (after === null) {
      if (before !== null) await deleteExecution(db, before);
    } else if (before?.id !== after.id) fresh.push(after);
    else changed.push({ before, set: changedColumns(toRow(before), toRow(after)) });
  }
  const rows = fresh.map((execution) => ({ ...toRow(execution), claimed_by: claimedBy }));
  await insertRows(db, "executions", rows);
  await updateRows(db, "executions", changed);
}

async function deleteExecution(db: Db, execution: Execution): Promise<void> {
  const result = await db
    .deleteFrom("executions")
    .where("id", "=", execution.id)
    .where("version", "=", execution.version)
    .executeTakeFirst();
  if (result.numDeletedRows === 0n) throw new Conflict(`execution ${execution.id} has moved on`);
}

/** Start times of the newest submissions since then, oldest first: what the start limit has to remember. */
export async function submissionsSince(db: Db, since: number): Promise<number[]> {
  const rows = await db
    .selectFrom("executions")
    .select("submitted_at")
    .where("submitted_at", ">", since)
    .orderBy("submitted_at")
    .execute();
  return rows.map((row) => row.submitted_at);
}

/** Starts that were sent, or about to be, and that nobody has an answer to. */
export async function hasUnansweredStarts(db: Db): Promise<boolean> {
  const row = await db
    .selectFrom("executions")
    .select("id")
    .where(sql<boolean>`phase in ('submitting', 'watching', 'orphan')`)
    .where("phase", "=", "submitting")
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export function toExecution(row: Selectable<ExecutionsTable>): Execution {
  return {
    id: row.id,
    runId: row.run_id,
    jobId: row.job_id,
    attempt: row.attempt,
    previousId: row.previous_id,
    phase: row.phase as Phase,
    status: row.status,
    rawStatus: row.raw_status,
    version: row.version,
    dueAt: row.due_at,
    lyceumExecutionId: row.lyceum_execution_id,
    submittedAt: row.submitted_at,
    acceptedAt: row.accepted_at,
    inDoubtAt: row.in_doubt_at,
    doubt: row.doubt,
    unseenMs: row.unseen_ms,
    lookedAt: row.looked_at,
    callbackAt: row.callback_at,
    expectedEndAt: row.expected_end_at,
    cancelSentAt: row.cancel_sent_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    detectedAt: row.detected_at,
    detectedBy: row.detected_by,
    timedOut: row.timed_out === 1,
    returnCode: row.return_code,
    cost: row.cost,
    costSource: row.cost_source,
    hardware: row.hardware,
    error: row.error,
  };
}

function toRow(execution: Execution): Insertable<ExecutionsTable> {
  return {
    id: execution.id,
    run_id: execution.runId,
    job_id: execution.jobId,
    attempt: execution.attempt,
    previous_id: execution.previousId,
    phase: execution.phase,
    status: execution.status,
    raw_status: execution.rawStatus,
    version: execution.version,
    due_at: execution.dueAt,
    lyceum_execution_id: execution.lyceumExecutionId,
    submitted_at: execution.submittedAt,
    accepted_at: execution.acceptedAt,
    in_doubt_at: execution.inDoubtAt,
    doubt: execution.doubt,
    unseen_ms: execution.unseenMs,
    looked_at: execution.lookedAt,
    callback_at: execution.callbackAt,
    expected_end_at: execution.expectedEndAt,
    cancel_sent_at: execution.cancelSentAt,
    started_at: execution.startedAt,
    ended_at: execution.endedAt,
    detected_at: execution.detectedAt,
    detected_by: execution.detectedBy,
    timed_out: execution.timedOut ? 1 : 0,
    return_code: execution.returnCode,
    cost: execution.cost,
    cost_source: execution.costSource,
    hardware: execution.hardware,
    error: execution.error,
  };
}
