// Sight: what one list showed, and whose its rows are.
import type { Execution } from "../../domain/execution.ts";
import type { ReadOutcome } from "../../lyceum/outcome.ts";
import type { ListedRow } from "../../lyceum/reading.ts";
import { executionIdIn } from "../../lyceum/request.ts";
import type { DueExecution } from "../../store/execution-claims.ts";
import { isOver, lyceumIdOf } from "../collect/record-artifact.ts";

export interface ListSnapshot {
  list: ReadOutcome<unknown>;
  /** False: for a single execution no list was read, so that it proves nothing. */
  isRead: boolean;
  /** By Lyceum's ids; empty without a list. */
  rows: Map<string, ListedRow>;
  askedAt: number;
  /** Executions whose records are to be read, whatever the list shows. */
  records: ReadonlySet<DueExecution>;
  /** Lists in a row that could not be had. */
  failures: number;
}

/** In doubt, or lost: looked for by its marker. */
export function isSearched({ execution }: DueExecution): boolean {
  return execution.phase !== "watching";
}

/** The row under the execution's id, unless it bears the marker of another one. */
export function rowOf(execution: Execution, rows: ListSnapshot["rows"]): ListedRow | undefined {
  const row = rows.get(lyceumIdOf(execution));
  return row !== undefined && isOwn(row, execution) ? row : undefined;
}

/** The word of a watched execution if the list shows it alive, and may answer for it. */
export function wordOf(one: DueExecution, { rows, records }: ListSnapshot): string | null {
  const row = isSearched(one) || records.has(one) ? undefined : rowOf(one.execution, rows);
  return row === undefined || isOver(row) ? null : row.word;
}

/** True when the row is the execution's: by its marker or, without a marker, by its id. */
export function isOf(row: ListedRow, execution: Execution): boolean {
  // A GPU selection's sub-jobs may bear the parent's name: the parent is meant.
  if (row.parentExecutionId !== null || !isOwn(row, execution)) return false;
  return executionIdIn(row.fileName) !== null || row.executionId === execution.lyceumExecutionId;
}

function isOwn(row: ListedRow, { id }: Execution): boolean {
  return (executionIdIn(row.fileName) ?? id) === id;
}
