// Executions: loaded, and saved by compare-and-set.
import { type Insertable, type Selectable, sql } from "kysely";
import type { Execution, Phase } from "../domain/execution.ts";
import { changedColumns, insertRows, type RowChange, updateRows } from "./db/rows.ts";
import type { ExecutionsTable } from "./db/schema.ts";
import { statementForRows } from "./db/statements.ts";
import { Conflict, type Db } from "./db/transaction.ts";

export async function findExecution(db: Db, id: string): Promise<Execution | null> {
  return (await findExecutions(db, [id]))[0] ?? null;
}

export async function findExecutions(db: Db, ids: string[]): Promise<Execution[]> {
  const rows = await selectExecutions(db, ids);
  return rows.map(toExecution);
}

const selectExecutions = statementForRows<string, Selectable<ExecutionsTable>>((db, ids) =>
  db.selectFrom("executions").selectAll().where("id", "in", ids),
);

/** The oldest execution if several have the same id of Lyceum. */
export async function findHolders(db: Db, lyceumIds: string[]): Promise<Map<string, string>> {
  const rows = await selectHolders(db, lyceumIds);
  rows.sort((a, b) => (a.id < b.id ? 1 : -1));
  return new Map(rows.map(({ id, lyceum_execution_id }) => [lyceum_execution_id ?? "", id]));
}

const selectHolders = statementForRows<
  string,
  Pick<Selectable<ExecutionsTable>, "id" | "lyceum_execution_id">
>((db, ids) =>
  db
    .selectFrom("executions")
    .select(["id", "lyceum_execution_id"])
    .where("lyceum_execution_id", "is not", sql.lit(null))
    .where("lyceum_execution_id", "in", ids),
);

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
  /** As read; null for a new execution. */
  before: Execution | null;
  /** Null deletes the execution. Another id than before inserts one. */
  after: Execution | null;
}

/**
 * @param claimedBy the instance that writes: each wake-up that it sets, a lease perhaps, is its own
 * @throws Conflict when another transaction saved one of the executions since it was read
 */
export async function saveExecutions(
  db: Db,
  changes: readonly ExecutionChange[],
  claimedBy: string | null = null,
): Promise<void> {
  const inserted: Execution[] = [];
  const changed: RowChange<"executions">[] = [];
  for (const { before, after } of changes) {
    if (after === null) {
      if (before !== null) await deleteExecution(db, before);
    } else if (before?.id !== after.id) inserted.push(after);
    else {
      const set = changedColumns(toRow(before), toRow(after));
      changed.push({ before, set: "due_at" in set ? { ...set, claimed_by: claimedBy } : set });
    }
  }
  const rows = inserted.map((execution) => ({ ...toRow(execution), claimed_by: claimedBy }));
  await insertRows(db, "executions", rows);
  await updateRows(db, "executions", changed);
}

async function deleteExecution(db: Db, execution: Execution): Promise<void> {
  const result = await db
    .deleteFrom("executions")
    .where("id", "=", execution.id)
    .where("version", "=", execution.version)
    .executeTakeFirst();
  if (result.numDeletedRows === 0n)
    throw new Conflict(`execution ${execution.id} was saved by another transaction`);
}

/** Oldest first. A restart counts them against the start limit. */
export async function submissionsSince(db: Db, since: number): Promise<number[]> {
  // A place stands for an execution that is being removed: both rows may be there.
  const removed = db.selectFrom("places").select(["execution_id as id", "taken_at as at"]);
  const rows = await db
    .selectFrom("executions")
    .select(["id", "submitted_at as at"])
    .where("submitted_at", ">", since)
    .union(removed.where("taken_at", ">", since))
    .orderBy("at")
    .execute();
  return rows.map((row) => row.at);
}

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
    streamingUrl: row.streaming_url,
    submittedAt: row.submitted_at,
    acceptedAt: row.accepted_at,
    inDoubtAt: row.in_doubt_at,
    doubt: row.doubt,
    unseenMs: row.unseen_ms,
    checkedAt: row.checked_at,
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
    streaming_url: execution.streamingUrl,
    submitted_at: execution.submittedAt,
    accepted_at: execution.acceptedAt,
    in_doubt_at: execution.inDoubtAt,
    doubt: execution.doubt,
    unseen_ms: execution.unseenMs,
    checked_at: execution.checkedAt,
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
