// Past: whether the history has executions, answered over as many looks as it takes to read it.
import PQueue from "p-queue";
import type { Execution } from "../../domain/execution.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import type { ReadOutcome } from "../../lyceum/outcome.ts";
import type { Priority } from "../../lyceum/priorities.ts";
import type { HistoryRow } from "../../lyceum/reading.ts";
import { CLOCK_SKEW_MS, createHistoryPass, type HistoryPass } from "./history.ts";
import { isOf } from "./list-snapshot.ts";

export type Found =
  | { state: "found"; row: HistoryRow }
  /** The whole history is without it; reading it took this long. */
  | { state: "absent"; searchedMs: number }
  | { state: "under way" }
  | { state: "unanswered"; answer: ReadOutcome<unknown> };

export type Past = (wanted: Execution[]) => Promise<Map<string, Found>>;

/** One pass through the history serves all that are wanted when it begins; whoever is wanted later has the next one. */
export function createPast(lyceum: Pick<LyceumClient, "history">, lane: Priority, now: () => number): Past {
  const looks = new PQueue({ concurrency: 1 });
  let current: Search | null = null;

  async function look(wanted: Execution[]): Promise<Map<string, Found>> {
    current ??= createSearch(wanted);
    const { pass, ids, rows, begunAt } = current;
    const progress = await pass.readOn();
    if (progress.state === "whole") current = null;
    return new Map(
      wanted.map(({ id }): [string, Found] => {
        const row = rows.get(id);
        if (row !== undefined) return [id, { state: "found", row }];
        if (progress.state === "unanswered") return [id, progress];
        const isAbsent = progress.state === "whole" && ids.has(id);
        return [
          id,
          isAbsent ? { state: "absent", searchedMs: Math.max(0, now() - begunAt) } : { state: "under way" },
        ];
      }),
    );
  }

  function createSearch(wanted: Execution[]): Search {
    const rows = new Map<string, HistoryRow>();
    const pass = createHistoryPass(lyceum, {
      lane,
      since: Math.min(...wanted.map(({ submittedAt }) => submittedAt)) - CLOCK_SKEW_MS,
      onRows(page) {
        for (const execution of wanted) {
          const row = page.find((one) => isOf(one, execution));
          if (row !== undefined) rows.set(execution.id, row);
        }
      },
      isEnough: () => rows.size === wanted.length,
    });
    return { pass, rows, ids: new Set(wanted.map(({ id }) => id)), begunAt: now() };
  }

  return (wanted) => (wanted.length === 0 ? Promise.resolve(new Map()) : looks.add(() => look(wanted)));
}

interface Search {
  pass: HistoryPass;
  ids: ReadonlySet<string>;
  rows: Map<string, HistoryRow>;
  begunAt: number;
}
