// Callbacks as they came: the raw body is kept, whatever it is.
import type { Selectable } from "kysely";
import type { Phase } from "../domain/execution.ts";
import type { CallbacksTable } from "./db/schema.ts";
import { insertRows, statementOn, updateRows, type Versioned } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";

export type CallbackRow = Selectable<CallbacksTable>;

export async function insertCallbacks(db: Db, callbacks: CallbackRow[]): Promise<void> {
  await insertRows(db, "callbacks", callbacks);
}

/** Of an execution that was called back, what tells what to make of it. */
export interface Called extends Versioned {
  runId: string;
  jobId: string;
  phase: Phase;
  dueAt: number | null;
  inDoubtAt: number | null;
  callbackAt: number | null;
  lookedAt: number | null;
  /** How many of its callbacks are kept. */
  kept: number;
}

/** Those of them that there are. */
export async function findCalled(db: Db, executionIds: string[]): Promise<Called[]> {
  const rows = await selectCalled(db, executionIds);
  return rows.map((row) => ({ ...row, kept: Number(row.kept) }));
}

const selectCalled = statementOn<string, Omit<Called, "kept"> & { kept: unknown }>((db, ids) =>
  db
    .selectFrom("executions")
    .select(["id", "version", "phase", "run_id as runId", "job_id as jobId", "due_at as dueAt"])
    .select(["in_doubt_at as inDoubtAt", "callback_at as callbackAt", "looked_at as lookedAt"])
    .select(({ selectFrom, fn }) =>
      selectFrom("callbacks")
        .select(fn.countAll().as("count"))
        .whereRef("callbacks.execution_id", "=", "executions.id")
        .as("kept"),
    )
    .where("id", "in", ids),
);

/**
 * Saves the hints that callbacks left.
 * @throws Conflict when somebody saved one of them since it was read.
 */
export async function saveHints(db: Db, called: readonly Called[]): Promise<void> {
  const changes = called.map((before) => {
    return { before, set: { callback_at: before.callbackAt, due_at: before.dueAt } };
  });
  await updateRows(db, "executions", changes);
}

/** In the order of arrival, after the given id. */
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
