// Looks executions up in the history, over several calls if need be.
import PQueue from "p-queue";
import type { Execution } from "../../domain/execution.ts";
import type { HistoryRow } from "../../lyceum/answer.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import type { ReadOutcome } from "../../lyceum/outcome.ts";
import type { Priority } from "../../lyceum/priorities.ts";
import { CLOCK_SKEW_MS, createHistoryPass, type HistoryPass } from "./history.ts";
import { isOf } from "./list-snapshot.ts";

export type LookupResult =
  | { state: "found"; row: HistoryRow }
  /** The whole history does not have the execution. */
  | { state: "absent"; searchedMs: number }
  | { state: "under way" }
  | { state: "unanswered"; answer: ReadOutcome<unknown> };

export type HistoryLookup = (wanted: Execution[]) => Promise<Map<string, LookupResult>>;

/** One pass serves all executions wanted at its beginning; later ones wait for the next pass. */
export function createHistoryLookup(
  lyceum: Pick<LyceumClient, "history">,
  priority: Priority,
  awakeMs: () => number,
): HistoryLookup {
  const lookups = new PQueue({ concurrency: 1 });
  let current: Search | null = null;

  async function lookUp(wanted: Execution[]): Promise<Map<string, LookupResult>> {
    current ??= createSearch(wanted);
    const search = current;
    const { pass, ids, rows } = search;
    search.begunAt ??= awakeMs();
    const { begunAt } = search;
    const progress = await pass.readOn();
    if (progress.state === "whole") current = null;
    if (progress.state === "unanswered") search.begunAt = null;
    return new Map(
      wanted.map(({ id }): [string, LookupResult] => {
        const row = rows.get(id);
        if (row !== undefined) return [id, { state: "found", row }];
        if (progress.state === "unanswered") return [id, progress];
        const isAbsent = progress.state === "whole" && ids.has(id);
        return [id, isAbsent ? { state: "absent", searchedMs: awakeMs() - begunAt } : { state: "under way" }];
      }),
    );
  }

  function createSearch(wanted: Execution[]): Search {
    const rows = new Map<string, HistoryRow>();
    const pass = createHistoryPass(lyceum, {
      priority,
      since: Math.min(...wanted.map(({ submittedAt }) => submittedAt)) - CLOCK_SKEW_MS,
      onRows(page) {
        for (const execution of wanted) {
          const found = page.find((row) => isOf(row, execution));
          if (found !== undefined) rows.set(execution.id, found);
        }
      },
      isEnough: () => rows.size === wanted.length,
    });
    return { pass, rows, ids: new Set(wanted.map(({ id }) => id)), begunAt: null };
  }

  return (wanted) => (wanted.length === 0 ? Promise.resolve(new Map()) : lookups.add(() => lookUp(wanted)));
}

interface Search {
  pass: HistoryPass;
  ids: ReadonlySet<string>;
  rows: Map<string, HistoryRow>;
  /** Awake time. Null before the first read and after a silence, which is no part of a search. */
  begunAt: number | null;
}
