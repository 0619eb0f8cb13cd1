// Callbacks as received, with their raw bodies.
import { type Selectable, sql } from "kysely";
import type { Phase } from "../domain/execution.ts";
import { insertRows, updateRows, type Versioned } from "./db/rows.ts";
import type { CallbacksTable, Disposition } from "./db/schema.ts";
import { statementForRows } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";
import { createdBetween, type Scanned, scan } from "./scan.ts";

export type CallbackRow = Selectable<CallbacksTable>;

export async function insertCallbacks(db: Db, callbacks: CallbackRow[]): Promise<void> {
  await insertRows(db, "callbacks", callbacks);
}

export interface CallbackTarget extends Versioned {
  runId: string;
  jobId: string;
  phase: Phase;
  dueAt: number | null;
  inDoubtAt: number | null;
  callbackAt: number | null;
  checkedAt: number | null;
  stored: number;
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
      .select(["in_doubt_at as inDoubtAt", "callback_at as callbackAt", "checked_at as checkedAt"])
      .select(({ selectFrom, fn }) =>
        selectFrom("callbacks")
          .select(fn.countAll().as("count"))
          .whereRef("callbacks.execution_id", "=", "executions.id")
          .as("stored"),
      )
      .where("id", "in", ids),
);

/** @throws Conflict when another transaction saved one of the executions since it was read. */
export async function saveCallbackHints(db: Db, targets: readonly CallbackTarget[]): Promise<void> {
  const changes = targets.map((before) => {
    return { before, set: { callback_at: before.callbackAt, due_at: before.dueAt } };
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

export interface InboxFilter {
  owner: string | null;
  disposition?: Disposition | undefined;
  executionId?: string | undefined;
  receivedAfter?: number | undefined;
  receivedBefore?: number | undefined;
  before: string | null;
}

export async function listInbox(db: Db, filter: InboxFilter, limit: number): Promise<Scanned<CallbackRow>> {
  const { owner, disposition, executionId, receivedAfter, receivedBefore } = filter;
  const driver = [];
  const filters = [];
  if (executionId !== undefined) driver.push(sql`execution_id = ${executionId}`);
  // Written out, so that the partial index of rare dispositions is used.
  else if (disposition !== undefined && disposition !== "received")
    driver.push(sql`disposition <> 'received'`, sql`disposition = ${sql.lit(disposition)}`);
  const times = createdBetween(
    "cbk",
    { createdAfter: receivedAfter, createdBefore: receivedBefore },
    "received_at",
  );
  filters.push(...times.exact);
  if (disposition !== undefined) filters.push(sql`disposition = ${disposition}`);
  if (owner !== null)
    filters.push(sql`exists (select 1 from executions join jobs on jobs.id = executions.job_id
      where executions.id = callbacks.execution_id and jobs.api_key = ${owner})`);
  const list = {
    table: "callbacks",
    key: "id",
    order: "desc",
    driver,
    range: times.range,
    filters,
    after: filter.before,
  } as const;
  return scan<CallbackRow>(db, list, limit);
}
