// Search: executions whose submission is in doubt, and lost ones that may still show up, looked for by their marker,
// the id that was put into `file_name` before the submission. In the order of what it costs: the list that was read
// anyway, what callbacks name, the history.
import { candidateIds } from "../domain/callback-ids.ts";
import type { Execution } from "../domain/execution.ts";
import { searchRules } from "../domain/machine/schedule.ts";
import type { LyceumClient } from "../lyceum/client.ts";
import type { HistoryRow, ListedRow } from "../lyceum/reading.ts";
import { executionIdIn } from "../lyceum/request.ts";
import { classify } from "../lyceum/word.ts";
import type { Context } from "../orchestration/context.ts";
import { type CallbackRow, listCallbacks } from "../store/callbacks.ts";
import type { Notes } from "./notes.ts";
import { isOver } from "./reading.ts";

export function createSearch(context: Context, lyceum: LyceumClient, { note, unanswered }: Notes) {
  /** Notes for each of `wanted` whether Lyceum has it. @param listed the rows of the active list, as asked for at `askedAt`. */
  return async (wanted: Execution[], listed: Iterable<ListedRow>, askedAt: number): Promise<void> => {
    if (wanted.length === 0) return;
    const found = byMarker(listed);
    for (const execution of wanted.filter((one) => one.callbackAt !== null && !found.has(one.id))) {
      const callbacks = await listCallbacks(context.store.db, execution.id, "", MOST_BODIES);
      const row = await searchNamed(lyceum, execution, callbacks);
      if (row !== null) found.set(execution.id, row);
    }
    // The history has a limit of its own: asked once a hint or half of the grace says that the rest is not enough.
    const isLate = (one: Execution) =>
      one.callbackAt !== null ||
      one.unseenMs >= searchRules(one, context.rules).inDoubtAfterMs / 2 - SHORTEST_STEP_MS;
    const late = wanted.filter((one) => !found.has(one.id) && isLate(one));
    const history = late.length === 0 ? new Map<string, ListedRow>() : await searchHistory(lyceum, late);
    await Promise.all(
      wanted.map((execution) => {
        context.report.check({ executionId: execution.id, cause: "search", word: null });
        const row = found.get(execution.id) ?? history?.get(execution.id);
        if (row !== undefined) return noteFound(execution, row);
        if (history === null && late.includes(execution)) return unanswered(execution, NO_HISTORY);
        return note(execution, { fact: "not_found", askedAt });
      }),
    );
  };

  async function noteFound(execution: Execution, row: ListedRow): Promise<void> {
    const { status, raw } = classify(row.word);
    await note(execution, { fact: "accepted", lyceumExecutionId: row.executionId, status, raw, found: true });
    if (execution.phase === "orphan" && isOver(row)) await note(execution, { fact: "orphan_ended", raw });
  }
}

const MOST_BODIES = 4;
/** Looks are at least so far apart: within a short grace the first of them may already be the last but one. */
const SHORTEST_STEP_MS = 1_000;
const NO_HISTORY = { outcome: "unreachable", detail: "the history was not answered" } as const;

function byMarker(rows: Iterable<ListedRow>): Map<string, ListedRow> {
  const found = new Map<string, ListedRow>();
  for (const row of rows) {
    const id = executionIdIn(row.fileName);
    // A GPU selection's sub-jobs may bear the parent's name: the parent is meant.
    if (id !== null && row.parentExecutionId === null && !found.has(id)) found.set(id, row);
  }
  return found;
}

/**
 * Pages through the history, which alone knows ended executions, from its newest end, until all are found or the
 * rows are older than the oldest submission; null when it was not answered. How it is sorted is not documented: the first page tells.
 */
async function searchHistory(
  lyceum: LyceumClient,
  wanted: Execution[],
): Promise<Map<string, ListedRow> | null> {
  const oldest = Math.min(...wanted.map((execution) => execution.submittedAt)) - CLOCK_SKEW_MS;
  const found = new Map<string, ListedRow>();
  let offset = 0;
  let step = PAGE;
  for (let page = 0; page < MOST_PAGES; page++) {
    const answer = await lyceum.history({ limit: PAGE, offset });
    if (answer.outcome !== "ok") return null;
    const { rows, total } = answer.value;
    for (const [id, row] of byMarker(rows)) found.set(id, row);
    if (wanted.every((execution) => found.has(execution.id))) break;
    if (page === 0 && total !== null && total > PAGE && isOldestFirst(rows)) {
      offset = total;
      step = -PAGE;
    } else if (rows.length < PAGE || rows.every((row) => row.createdAt !== null && row.createdAt < oldest))
      break;
    offset += step;
    if (offset < 0) break;
  }
  return found;
}

function isOldestFirst(rows: HistoryRow[]): boolean {
  const times = rows.map((row) => row.createdAt).filter((at) => at !== null);
  return (times[0] ?? 0) < (times.at(-1) ?? 0);
}

/**
 * The ids that callbacks' bodies name, each confirmed by the marker in its record: a body alone proves nothing.
 * Bodies are not documented, so whatever may be an id of an execution is tried, the likeliest first, up to a bound.
 */
async function searchNamed(
  lyceum: LyceumClient,
  execution: Execution,
  callbacks: CallbackRow[],
): Promise<HistoryRow | null> {
  const named = callbacks.flatMap(({ body, content_encoding }) => candidateIds(body, content_encoding));
  for (const id of [...new Set(named)].slice(0, MOST_NAMED)) {
    const answer = await lyceum.record(id, null, "confirm", "large");
    if (answer.outcome === "ok" && executionIdIn(answer.value.fileName) === execution.id) return answer.value;
  }
  return null;
}

const MOST_NAMED = 5;

const PAGE = 100;
/** Billing has a limit of its own (100 an hour as documented). */
const MOST_PAGES = 5;
const CLOCK_SKEW_MS = 10 * 60_000;
