// The result of one list poll, and the assignment of its rows to executions.
import type { Execution } from "../../domain/execution.ts";
import type { ListedRow } from "../../lyceum/answer.ts";
import type { ReadOutcome } from "../../lyceum/outcome.ts";
import { executionIdIn } from "../../lyceum/request.ts";
import { isOver, lyceumIdOf } from "../../lyceum/snapshot.ts";
import type { DueExecution } from "../../store/execution-claims.ts";

export interface ListSnapshot {
  list: ReadOutcome<unknown>;
  /** False: a single execution skipped the list, so nothing is proven by a missing row. */
  isRead: boolean;
  /** By Lyceum's ids; empty without a list. */
  rows: Map<string, ListedRow>;
  askedAt: number;
  records: ReadonlySet<DueExecution>;
  failures: number;
}

/** In doubt or lost: the search is by the marker. */
export function isSearched({ execution }: DueExecution): boolean {
  return execution.phase !== "watching";
}

/** Unless the row has the marker of another execution. */
export function rowOf(execution: Execution, rows: ListSnapshot["rows"]): ListedRow | undefined {
  const row = rows.get(lyceumIdOf(execution));
  return row !== undefined && isOwn(row, execution) ? row : undefined;
}

/** Null unless the list shows a watched execution alive and may answer for it. */
export function wordOf(due: DueExecution, { rows, records }: ListSnapshot): string | null {
  const row = isSearched(due) || records.has(due) ? undefined : rowOf(due.execution, rows);
  return row === undefined || isOver(row) ? null : row.word;
}

/** By its marker or, without a marker, by its id. */
export function isOf(row: ListedRow, execution: Execution): boolean {
  // Sub-jobs of a GPU selection may carry the parent's name: the parent is searched for.
  if (row.parentExecutionId !== null || !isOwn(row, execution)) return false;
  return executionIdIn(row.fileName) !== null || row.executionId === execution.lyceumExecutionId;
}

function isOwn(row: ListedRow, { id }: Execution): boolean {
  return (executionIdIn(row.fileName) ?? id) === id;
}
