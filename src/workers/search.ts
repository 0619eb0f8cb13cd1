// Looking for executions by their marker: the ids that we put into `file_name` before submitting.
import type { Execution } from "../domain/execution.ts";
import type { LyceumClient } from "../lyceum/client.ts";
import type { ReadOutcome } from "../lyceum/outcome.ts";
import type { RunRow } from "../lyceum/reading.ts";
import { executionIdIn } from "../lyceum/request.ts";

/** Rows by our execution id; null when Lyceum did not answer. */
export type Found = Map<string, RunRow> | null;

export function byMarker(rows: RunRow[]): Map<string, RunRow> {
  const found = new Map<string, RunRow>();
  for (const row of rows) {
    const id = executionIdIn(row.fileName);
    // A GPU selection's sub-jobs may bear the parent's name: the parent is meant.
    if (id !== null && row.parentExecutionId === null && !found.has(id)) found.set(id, row);
  }
  return found;
}

/**
 * Pages through the history, which alone knows ended executions, until all are found or the rows are older than
 * the oldest submission. How the rows are sorted is not documented: a page out of order is no reason to stop.
 */
export async function searchHistory(lyceum: LyceumClient, wanted: Execution[]): Promise<Found> {
  const oldest = Math.min(...wanted.map((execution) => execution.submittedAt)) - CLOCK_SKEW_MS;
  const found = new Map<string, RunRow>();
  for (let page = 0; page < MOST_PAGES; page++) {
    const answer: ReadOutcome<{ rows: RunRow[] }> = await lyceum.history({
      limit: PAGE,
      offset: page * PAGE,
    });
    if (answer.outcome !== "ok") return null;
    const { rows } = answer.value;
    for (const [id, row] of byMarker(rows)) found.set(id, row);
    const isPast = rows.every((row) => row.createdAt !== null && row.createdAt < oldest);
    if (rows.length < PAGE || isPast || wanted.every((execution) => found.has(execution.id))) break;
  }
  return found;
}

const PAGE = 100;
/** Billing has a limit of its own (100 an hour as documented). */
const MOST_PAGES = 5;
const CLOCK_SKEW_MS = 10 * 60_000;
