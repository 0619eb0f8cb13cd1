// Search: executions that no record tells of. Their submission is in doubt, or Lyceum does not know the id that it gave
// them, or they were given up as lost and may still show up. They are looked for by their marker, the id that was put into
// `file_name` before the submission, in the order of what it costs: the list, what callbacks name, the history.
import { candidateIds } from "../../domain/callback-ids.ts";
import type { Execution } from "../../domain/execution.ts";
import { isYoung, searchRules } from "../../domain/state-machine/schedule.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import type { HistoryRow, ListedRow } from "../../lyceum/reading.ts";
import { executionIdIn } from "../../lyceum/request.ts";
import { parseStatus } from "../../lyceum/status-words.ts";
import type { Context } from "../../orchestration/context.ts";
import { type CallbackRow, listCallbacks } from "../../store/callbacks.ts";
import { readingOfRow, readingOfWord } from "../collect/record-artifact.ts";
import { createPast, type Found } from "./history-lookup.ts";
import type { KnownIds } from "./known-ids.ts";
import { isOf, type ListSnapshot } from "./list-snapshot.ts";
import type { FactRecorder } from "./record-fact.ts";

export interface SearchOptions {
  lyceum: LyceumClient;
  now: () => number;
  notes: FactRecorder;
  own: KnownIds;
}

export interface Wanted {
  execution: Execution;
  /** Lyceum refuses to say whether it has the record: it may be found, and is never given up. */
  isBarred?: boolean;
}

/** Notes for each of `wanted` whether Lyceum has it. @param sight what the list showed; null: it is asked for. */
export type Search = (wanted: Wanted[], sight: ListSnapshot | null) => Promise<void>;

export function createSearch(context: Context, { lyceum, now, notes, own }: SearchOptions): Search {
  const { note, unanswered } = notes;
  const past = createPast(lyceum, "confirm", now);
  // What nobody waits for must not take the calls that others need.
  const pastOfOrphans = createPast(lyceum, "overdue", now);

  /** Shortly after the start Lyceum may not show it yet. */
  const isNew = (execution: Execution) => execution.phase === "watching" && isYoung(execution, now());

  /** The history has a limit of its own: it is asked once a hint, or half of the grace, says that the rest is not enough. */
  function isLate(execution: Execution, { list, failures }: ListSnapshot): boolean {
    // Without a list nothing can be concluded, but the execution may be found.
    if (list.type !== "ok") return failures > 0;
    if (execution.phase === "watching") return !isNew(execution);
    if (execution.callbackAt !== null) return true;
    return execution.unseenMs >= searchRules(execution, context.rules).inDoubtAfterMs / 2 - MIN_STEP_MS;
  }

  async function look(): Promise<ListSnapshot> {
    const askedAt = now();
    const list = await lyceum.workloads("overdue");
    const rows = list.type === "ok" ? list.value.map((row) => [row.executionId, row] as const) : [];
    return { list, isRead: true, rows: new Map(rows), askedAt, records: new Set(), failures: 0 };
  }

  async function searchNow(wanted: Wanted[], sight: ListSnapshot): Promise<void> {
    const executions = wanted.map(({ execution }) => execution);
    const found = await findListed(executions, sight);
    const late = executions.filter((one) => !found.has(one.id) && isLate(one, sight));
    const isOrphan = ({ phase }: Execution) => phase === "orphan";
    const [orphans, others] = [late.filter(isOrphan), late.filter((one) => !isOrphan(one))];
    const history = new Map([...(await past(others)), ...(await pastOfOrphans(orphans))]);
    await Promise.all(
      wanted.map(async ({ execution, isBarred }) => {
        context.report.check({ executionId: execution.id, cause: "search", word: null });
        const row = found.get(execution.id);
        if (row !== undefined) return noteFound(execution, row, sight.askedAt);
        await conclude(execution, history.get(execution.id), sight, isBarred === true);
      }),
    );
  }

  async function findListed(wanted: Execution[], { rows }: ListSnapshot): Promise<Map<string, ListedRow>> {
    const found = byMarker(rows.values());
    for (const execution of wanted) {
      if (found.has(execution.id)) continue;
      const row = rows.get(execution.lyceumExecutionId ?? "") ?? (await findNamed(execution));
      if (row !== undefined && isOf(row, execution)) found.set(execution.id, row);
    }
    return found;
  }

  async function findNamed(execution: Execution): Promise<HistoryRow | undefined> {
    if (execution.callbackAt === null || execution.lyceumExecutionId !== null) return undefined;
    const callbacks = await listCallbacks(context.store.db, execution.id, "", MAX_BODIES);
    return searchNamed(lyceum, execution, callbacks);
  }

  /** Neither the list nor a callback shows it. */
  async function conclude(
    execution: Execution,
    found: Found | undefined,
    sight: ListSnapshot,
    isBarred: boolean,
  ) {
    const { list, askedAt } = sight;
    if (found?.state === "found") return noteFound(execution, found.row, askedAt);
    if (list.type !== "ok") return unanswered(execution, list);
    // The record and the list may tell everything long before the history is to be asked again.
    if (found?.state === "unanswered") return unanswered(execution, found.answer, context.rules.pollMaxMs);
    if (found?.state === "under way" || isNew(execution)) return notes.underWay(execution);
    if (isBarred) return note(execution, { type: "unanswered", retryAt: now() + BARRED_MS });
    const searchedMs = found?.searchedMs ?? 0;
    return note(execution, { type: "not_found", askedAt, searchedMs });
  }

  async function noteFound(
    execution: Execution,
    row: ListedRow | HistoryRow,
    askedAt: number,
  ): Promise<void> {
    own.note({ id: execution.id, lyceumExecutionId: row.executionId });
    if (row.executionId === execution.lyceumExecutionId) {
      // It has no record, but the row is Lyceum's word, too.
      const snapshot = "createdAt" in row ? readingOfRow(row) : readingOfWord(row.word);
      await note(execution, { type: "reading", snapshot, by: "poll", askedAt });
      return;
    }
    const { status, raw } = parseStatus(row.word);
    await note(execution, { type: "accepted", lyceumExecutionId: row.executionId, status, raw, found: true });
  }

  return async (wanted, sight) => {
    if (wanted.length === 0) return;
    if (sight !== null) return searchNow(wanted, sight);
    const [young, others] = [
      wanted.filter((one) => isNew(one.execution)),
      wanted.filter((one) => !isNew(one.execution)),
    ];
    await Promise.all(young.map(({ execution }) => notes.underWay(execution)));
    if (others.length > 0) await searchNow(others, await look());
  };
}

/** The history is not to be spent on an answer that does not change. */
const BARRED_MS = 5 * 60_000;
const MAX_BODIES = 4;
/** Looks are at least so far apart: within a short grace the first of them may already be the last but one. */
const MIN_STEP_MS = 1_000;

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
 * The ids that callbacks' bodies name, each confirmed by the marker in its record: a body alone proves nothing.
 * Bodies are not documented, so whatever may be an id of an execution is tried, the likeliest first, up to a bound.
 */
async function searchNamed(
  lyceum: LyceumClient,
  execution: Execution,
  callbacks: CallbackRow[],
): Promise<HistoryRow | undefined> {
  const named = callbacks.flatMap(({ body, content_encoding }) => candidateIds(body, content_encoding));
  for (const id of [...new Set(named)].slice(0, MAX_NAMED)) {
    const answer = await lyceum.record(id, null, "confirm", "large");
    if (answer.type === "ok" && executionIdIn(answer.value.fileName) === execution.id) return answer.value;
  }
  return undefined;
}

const MAX_NAMED = 5;
