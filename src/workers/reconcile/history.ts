// Reads `/billing/history` back to a moment, over several calls. Only the history knows ended executions, and only a
// history that was read to its end proves that an execution is missing.
import { createHash } from "node:crypto";
import type { HistoryAnswer, HistoryRow } from "../../lyceum/answer.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import type { ReadOutcome } from "../../lyceum/outcome.ts";
import type { Priority } from "../../lyceum/priorities.ts";
import { createWalk, imageOf } from "./history-walk.ts";

export interface HistoryOptions {
  priority: Priority;
  since: number;
  onRows(rows: HistoryRow[]): void;
  isEnough(): boolean;
}

/** `whole`: read to its end. `under way`: the next call goes on. */
export type Progress =
  | { state: "whole" | "under way" }
  | { state: "unanswered"; answer: ReadOutcome<unknown> };

export interface HistoryPass {
  readOn(): Promise<Progress>;
}

export function createHistoryPass(
  lyceum: Pick<LyceumClient, "history">,
  { priority, since, onRows, isEnough }: HistoryOptions,
): HistoryPass {
  const until = new Set<string>();
  let walk = createWalk({ since, until });
  let pages = createHash("sha256");
  let pagesBefore = "";
  let isInterrupted = false;

  function take(page: HistoryAnswer): Progress | null {
    onRows(page.rows);
    if (isEnough()) return WHOLE;
    pages.update(`${walk.offset} ${imageOf(page)}`);
    const walked = walk.take(page);
    if (walked === "on") return null;
    const read = pages.digest("hex");
    // A history that is the same twice did not move.
    const isProven = walked === "proven" || (walked === "doubtful" && read === pagesBefore);
    if (isProven && (!isInterrupted || walk.isOldestFirst)) return WHOLE;
    // Rows that were added between two calls are read by a further walk, up to the known rows.
    if (isProven) for (const id of walk.known) until.add(id);
    walk = createWalk({ since, until });
    pages = createHash("sha256");
    pagesBefore = read;
    isInterrupted = false;
    return walked === "unreadable" ? { state: "unanswered", answer: UNREADABLE } : null;
  }

  return {
    async readOn() {
      for (let page = 0; page < MAX_PAGES; page++) {
        const answer = await lyceum.history({ limit: PAGE, offset: walk.offset }, priority);
        if (answer.type !== "ok") {
          isInterrupted = true;
          return { state: "unanswered", answer };
        }
        const progress = take(answer.value);
        if (progress !== null) return progress;
      }
      isInterrupted = true;
      return { state: "under way" };
    },
  };
}

const WHOLE: Progress = { state: "whole" };
const UNREADABLE: ReadOutcome<never> = {
  type: "unreadable",
  detail: "no row of the history can be read",
  isTooLarge: false,
};

/** Pages of one call: billing has a limit of its own (100 an hour as documented). */
const MAX_PAGES = 5;
const PAGE = 100;

/** Lyceum's clock may be behind ours: rows may seem older than they are. */
export const CLOCK_SKEW_MS = 10 * 60_000;
