// Searches for executions without a record by their marker, in the order of cost: list, ids in callbacks, history.
import type { Execution } from "../../domain/execution.ts";
import { isYoung, searchRules } from "../../domain/state-machine/schedule.ts";
import type { HistoryRow, ListedRow } from "../../lyceum/answer.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import { executionIdIn } from "../../lyceum/request.ts";
import { snapshotOfRow, snapshotOfWord } from "../../lyceum/snapshot.ts";
import { parseStatus } from "../../lyceum/status-words.ts";
import type { Context } from "../../orchestration/context.ts";
import { findNamedRecord } from "./callback-candidates.ts";
import { createHistoryLookup, type LookupResult } from "./history-lookup.ts";
import type { KnownIds } from "./known-ids.ts";
import { isOf, type ListSnapshot } from "./list-snapshot.ts";
import type { FactRecorder } from "./record-fact.ts";

export interface SearchOptions {
  lyceum: LyceumClient;
  now: () => number;
  /** Measures searches: neither a clock that is set nor a standstill while one is under way must lengthen it. */
  awakeMs: () => number;
  recorder: FactRecorder;
  knownIds: KnownIds;
}

export interface Wanted {
  execution: Execution;
  /** Lyceum does not say if it has the record: the execution may be found, and is never given up. */
  isBarred?: boolean;
}

/** @param listSnapshot the last list; null: poll a new one */
export type Search = (wanted: Wanted[], listSnapshot: ListSnapshot | null) => Promise<void>;

export function createSearch(context: Context, options: SearchOptions): Search {
  const { lyceum, now, awakeMs, recorder, knownIds } = options;
  const { record, recordUnanswered } = recorder;
  const lookUp = createHistoryLookup(lyceum, "confirm", awakeMs);
  // Orphans must not use up the calls that runs wait for.
  const lookUpOrphans = createHistoryLookup(lyceum, "overdue", awakeMs);

  /** Barred executions by our ids, until when the history is not read for them again (awake). */
  const historyRestsUntil = new Map<string, number>();

  /** Lyceum may not show an execution shortly after its start. */
  const isNew = (execution: Execution) => execution.phase === "watching" && isYoung(execution, now());

  /** The history has a limit of its own: read it after a hint, or after half of the grace. */
  function needsHistory(execution: Execution, { list, failures }: ListSnapshot): boolean {
    // Without a list nothing can be concluded, but the execution may be found.
    if (list.type !== "ok") return failures > 0;
    if (execution.phase === "watching") return !isNew(execution);
    if (execution.callbackAt !== null) return true;
    return execution.unseenMs >= searchRules(execution, context.rules).inDoubtAfterMs / 2 - MIN_STEP_MS;
  }

  async function pollList(): Promise<ListSnapshot> {
    const askedAt = now();
    const list = await lyceum.workloads("overdue");
    const rows = list.type === "ok" ? list.value.map((row) => [row.executionId, row] as const) : [];
    return { list, isRead: true, rows: new Map(rows), askedAt, records: new Set(), failures: 0 };
  }

  async function searchNow(wanted: Wanted[], listSnapshot: ListSnapshot): Promise<void> {
    const executions = wanted.map(({ execution }) => execution);
    const found = await findListed(executions, listSnapshot);
    const missing = executions.filter(({ id }) => !found.has(id));
    const barred = new Set(wanted.flatMap(({ execution, isBarred }) => (isBarred ? [execution.id] : [])));
    const inHistory = missing.filter(
      (execution) =>
        needsHistory(execution, listSnapshot) &&
        !(barred.has(execution.id) && (historyRestsUntil.get(execution.id) ?? 0) > awakeMs()),
    );
    const isOrphan = ({ phase }: Execution) => phase === "orphan";
    const others = inHistory.filter((execution) => !isOrphan(execution));
    const history = new Map([
      ...(await lookUp(others)),
      ...(await lookUpOrphans(inHistory.filter(isOrphan))),
    ]);
    await Promise.all(
      wanted.map(async ({ execution }) => {
        context.report.check({
          executionId: execution.id,
          jobId: execution.jobId,
          cause: "search",
          word: null,
        });
        const row = found.get(execution.id);
        if (row !== undefined) return recordFound(execution, row, listSnapshot.askedAt);
        await conclude(execution, history.get(execution.id), listSnapshot, barred.has(execution.id));
      }),
    );
  }

  async function findListed(wanted: Execution[], { rows }: ListSnapshot): Promise<Map<string, ListedRow>> {
    const found = byMarker(rows.values());
    for (const execution of wanted) {
      if (found.has(execution.id)) continue;
      const listed = rows.get(execution.lyceumExecutionId ?? "");
      const row = listed ?? (await findNamedRecord(lyceum, context.store.db, execution));
      if (row !== undefined && isOf(row, execution)) found.set(execution.id, row);
    }
    return found;
  }

  /** Neither the list nor a callback names the execution. */
  async function conclude(
    execution: Execution,
    result: LookupResult | undefined,
    { list, askedAt }: ListSnapshot,
    isBarred: boolean,
  ) {
    if (result?.state === "found") return recordFound(execution, result.row, askedAt);
    if (list.type !== "ok") return recordUnanswered(execution, list);
    // The record and the list may answer long before the history may be read again.
    if (result?.state === "unanswered")
      return recordUnanswered(execution, result.answer, context.rules.pollMaxMs);
    if (result?.state === "under way" || isNew(execution)) return recorder.recordUnderWay(execution);
    if (isBarred) {
      if (result !== undefined) restHistory(execution);
      return record(execution, { type: "unanswered", retryAt: now() + context.rules.pollMaxMs });
    }
    const searchedMs = result?.searchedMs ?? 0;
    return record(execution, { type: "not_found", askedAt, searchedMs });
  }

  function restHistory({ id }: Execution): void {
    if (historyRestsUntil.size > MAX_REMEMBERED) historyRestsUntil.clear();
    historyRestsUntil.set(id, awakeMs() + BARRED_MS);
  }

  async function recordFound(
    execution: Execution,
    row: ListedRow | HistoryRow,
    askedAt: number,
  ): Promise<void> {
    knownIds.add({ id: execution.id, lyceumExecutionId: row.executionId });
    if (row.executionId === execution.lyceumExecutionId) {
      // The execution has no record, but a row is Lyceum's own word, too.
      const snapshot = "createdAt" in row ? snapshotOfRow(row) : snapshotOfWord(row.word);
      await record(execution, { type: "snapshot", snapshot, by: "poll", askedAt });
      return;
    }
    const { status, raw } = parseStatus(row.word);
    const lyceumExecutionId = row.executionId;
    await record(execution, { type: "accepted", lyceumExecutionId, status, raw, found: true });
  }

  return async (wanted, listSnapshot) => {
    if (wanted.length === 0) return;
    if (listSnapshot !== null) return searchNow(wanted, listSnapshot);
    const young = wanted.filter(({ execution }) => isNew(execution));
    const others = wanted.filter(({ execution }) => !isNew(execution));
    await Promise.all(young.map(({ execution }) => recorder.recordUnderWay(execution)));
    if (others.length > 0) await searchNow(others, await pollList());
  };
}

/** The history is not to be spent on an answer that does not change. */
const BARRED_MS = 5 * 60_000;
const MAX_REMEMBERED = 10_000;
/** The minimum distance of two searches: within a short grace the first search may be the last but one. */
const MIN_STEP_MS = 1_000;

function byMarker(rows: Iterable<ListedRow>): Map<string, ListedRow> {
  const found = new Map<string, ListedRow>();
  for (const row of rows) {
    const id = executionIdIn(row.fileName);
    // Sub-jobs of a GPU selection may carry the parent's name: the parent is searched for.
    if (id !== null && row.parentExecutionId === null && !found.has(id)) found.set(id, row);
  }
  return found;
}
