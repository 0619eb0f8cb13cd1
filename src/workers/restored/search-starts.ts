// Searches Lyceum for all starts since a moment by their markers: the list, and the history back to that moment.
import { timeOfId } from "../../lib/id.ts";
import type { HistoryRow, ListedRow } from "../../lyceum/answer.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import type { ReadOutcome } from "../../lyceum/outcome.ts";
import { executionIdIn } from "../../lyceum/request.ts";
import { CLOCK_SKEW_MS, createHistoryPass, type HistoryPass } from "../reconcile/history.ts";

export type MarkedRows = ReadonlyMap<string, ListedRow | HistoryRow>;

export type SearchProgress =
  | { type: "whole"; rows: MarkedRows }
  | { type: "under way" }
  | { type: "unanswered"; answer: ReadOutcome<unknown> };

/** Goes on where the last call stopped. A whole search is followed by a new one. */
export function createStartSearch(lyceum: LyceumClient, since: number): () => Promise<SearchProgress> {
  let rows = new Map<string, ListedRow | HistoryRow>();
  let history: HistoryPass | null = null;

  function note(row: ListedRow | HistoryRow): void {
    const id = executionIdIn(row.fileName);
    // A GPU selection's sub-jobs may carry the parent's name.
    if (id === null || row.parentExecutionId !== null || timeOfId(id) < since - CLOCK_SKEW_MS) return;
    rows.set(id, row);
  }

  return async () => {
    if (history === null) {
      // The list first: an execution that ends meanwhile is in the history, which is read after it.
      const list = await lyceum.workloads("overdue");
      if (list.type !== "ok") return { type: "unanswered", answer: list };
      rows = new Map();
      for (const row of list.value) note(row);
      history = createHistoryPass(lyceum, {
        priority: "overdue",
        since: since - CLOCK_SKEW_MS,
        onRows: (page) => page.forEach(note),
        isEnough: () => false,
      });
    }
    const progress = await history.readOn();
    if (progress.state === "unanswered") return { type: "unanswered", answer: progress.answer };
    if (progress.state === "under way") return { type: "under way" };
    history = null;
    return { type: "whole", rows };
  };
}
