// Callbacks as received, with their raw bodies.
import { type Selectable, sql } from "kysely";
import type { Called, Disposition } from "../domain/callback-disposition.ts";
import { insertRows, updateRows, type Versioned } from "./db/rows.ts";
import type { CallbacksTable } from "./db/schema.ts";
import { statementForRows } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";
import { ofKeptJob } from "./deletions.ts";
import type { InboxRow } from "./inbox.ts";
import { createdBetween, type Scanned, scan } from "./scan.ts";

export type CallbackRow = Selectable<CallbacksTable>;

export async function insertCallbacks(db: Db, callbacks: CallbackRow[]): Promise<void> {
  await insertRows(db, "callbacks", callbacks);
}

export interface CallbackTarget extends Versioned, Called {
  runId: string;
  jobId: string;
  dueAt: number | null;
}

export async function findCallbackTargets(db: Db, executionIds: string[]): Promise<CallbackTarget[]> {
  const rows = await selectCallbackTargets(db, executionIds);
  return rows.map((row) => ({ ...row, stored: Number(row.stored) }));
}

const selectCallbackTargets = statementForRows<string, Omit<CallbackTarget, "stored"> & { stored: unknown }>(
  (db, ids) =>
    db
      .selectFrom("executions")
      .select(["id", "version", "phase", "run_id as runId", "job_id as jobId", "due_at as dueAt"])
      .select(["accepted_at as acceptedAt", "in_doubt_at as inDoubtAt", "detected_at as detectedAt"])
      .select(["callback_at as callbackAt", "checked_at as checkedAt"])
      .select(({ selectFrom, fn }) =>
        selectFrom("callbacks")
          .select(fn.countAll().as("count"))
          .whereRef("callbacks.execution_id", "=", "executions.id")
          .as("stored"),
      )
      .where("id", "in", ids),
);

/**
 * @param claimedBy claims the executions whose check is due; null leaves them as they are
 * @throws Conflict when another transaction saved one of the executions since it was read
 */
export async function saveCallbackHints(
  db: Db,
  targets: readonly CallbackTarget[],
  claimedBy: string | null,
): Promise<void> {
  const changes = targets.map((before) => {
    const set = { callback_at: before.callbackAt, due_at: before.dueAt };
    return { before, set: claimedBy === null ? set : { ...set, claimed_by: claimedBy } };
  });
  await updateRows(db, "executions", changes);
}

export async function listCallbacks(
  db: Db,
  executionId: string,
  after: string,
  limit: number,
): Promise<CallbackRow[]> {
  return db
    .selectFrom("callbacks")
    .selectAll()
    .where("execution_id", "=", executionId)
    .where("id", ">", after)
    .orderBy("id")
    .limit(limit)
    .execute();
}

export interface CallbackFilter {
  owner: string | null;
  disposition?: Disposition | undefined;
  executionId?: string | undefined;
  receivedAfter?: number | undefined;
  receivedBefore?: number | undefined;
  before: string | null;
}

export async function scanCallbacks(
  db: Db,
  filter: CallbackFilter,
  limit: number,
): Promise<Scanned<CallbackRow>> {
  const { disposition, executionId } = filter;
  const { range, exact } = timesOf(filter);
  const driver = ofExecution(filter);
  const filters = [...exact, ...ofOwner("callbacks", filter)];
  // Written out, so that the partial index of rare dispositions is used.
  if (executionId === undefined && disposition !== undefined && disposition !== "received")
    driver.push(sql`disposition <> 'received'`, sql`disposition = ${sql.lit(disposition)}`);
  if (disposition !== undefined) filters.push(sql`disposition = ${disposition}`);
  const list = { table: "callbacks", key: "id", order: "desc", driver, range, filters } as const;
  return scan<CallbackRow>(db, { ...list, after: filter.before }, limit);
}

/** Callbacks in the inbox, newest first. They have no disposition to filter by. The inbox is short: no index helps. */
export async function listInbox(db: Db, filter: CallbackFilter, limit: number): Promise<InboxRow[]> {
  const { exact } = timesOf(filter);
  const { before } = filter;
  const isBefore = before === null ? [] : [sql`id < ${before}`];
  const filters = [...ofExecution(filter), ...isBefore, ...exact, ...ofOwner("inbox", filter)];
  return db
    .selectFrom("inbox")
    .selectAll()
    .where(ofKeptJob(sql`(select job_id from executions where executions.id = inbox.execution_id)`))
    .$if(filters.length > 0, (query) => query.where(sql<boolean>`${sql.join(filters, sql` and `)}`))
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
}

function timesOf({ receivedAfter, receivedBefore }: CallbackFilter) {
  return createdBetween("cbk", { createdAfter: receivedAfter, createdBefore: receivedBefore }, "received_at");
}

function ofExecution({ executionId }: CallbackFilter) {
  return executionId === undefined ? [] : [sql`execution_id = ${executionId}`];
}

function ofOwner(table: "callbacks" | "inbox", { owner }: CallbackFilter) {
  if (owner === null) return [];
  const executionId = sql.ref(`${table}.execution_id`);
  return [
    sql`exists (select 1 from executions join jobs on jobs.id = executions.job_id
      where executions.id = ${executionId} and jobs.api_key = ${owner})`,
  ];
}
