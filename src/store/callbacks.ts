// Callbacks as they came: the raw body is kept, whatever it is.
import type { Selectable } from "kysely";
import type { Execution } from "../domain/execution.ts";
import { toExecution } from "./executions.ts";
import type { CallbacksTable } from "./schema.ts";
import { insertRows } from "./statements.ts";
import type { Db } from "./transaction.ts";

export type CallbackRow = Selectable<CallbacksTable>;

export async function insertCallbacks(db: Db, callbacks: CallbackRow[]): Promise<void> {
  await insertRows(db, "callbacks", callbacks);
}

/** An execution that was called back, and how many of its callbacks are kept. */
export interface Called {
  execution: Execution;
  kept: number;
}

/** Those of them that there are. */
export async function findCalled(db: Db, executionIds: string[]): Promise<Called[]> {
  const rows = await db
    .selectFrom("executions")
    .selectAll()
    .select(({ selectFrom, fn }) =>
      selectFrom("callbacks")
        .select(fn.countAll<number>().as("count"))
        .whereRef("callbacks.execution_id", "=", "executions.id")
        .as("kept"),
    )
    .where("id", "in", executionIds)
    .execute();
  return rows.map((row) => ({ execution: toExecution(row), kept: Number(row.kept) }));
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
