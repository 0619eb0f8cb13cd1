// Audit: whose record is read although a list is there to answer for it. The list saves calls, it never overrules: one
// that has not kept pace must not keep an ended run alive.
import { isPastTimeout } from "../../domain/state-machine/schedule.ts";
import type { Context } from "../../orchestration/context.ts";
import type { DueExecution } from "../../store/execution-claims.ts";

export interface Audit {
  /** Lyceum had nothing to abort of it: what the list shows of it is doubtful. */
  suspect(executionId: string): void;
  /** Listed executions to read all the same: past their timeout or suspect, the longest unread first. */
  ofListed(shown: DueExecution[]): DueExecution[];
  /** Executions to read while there is no list, the longest unread first. */
  withoutList(watched: DueExecution[]): DueExecution[];
}

interface Read {
  at: number;
  waitMs: number;
  isSuspect: boolean;
}

export function createAudit({ rules }: Context, now: () => number): Audit {
  /** The last read of each, in the order of their times. */
  const reads = new Map<string, Read>();

  function note(executionId: string, read: Read): void {
    reads.delete(executionId);
    reads.set(executionId, read);
    const [oldest] = reads.keys();
    if (reads.size > MAX_REMEMBERED && oldest !== undefined) reads.delete(oldest);
  }

  function take(candidates: DueExecution[], most: number, longestMs: number): DueExecution[] {
    const at = now();
    const readAt = ({ execution }: DueExecution) => reads.get(execution.id)?.at ?? 0;
    const isRested = ({ execution }: DueExecution) => {
      const read = reads.get(execution.id);
      return read === undefined || Math.abs(at - read.at) >= Math.min(read.waitMs, longestMs);
    };
    const taken = candidates
      .filter(isRested)
      .sort((a, b) => readAt(a) - readAt(b))
      .slice(0, most);
    for (const { execution } of taken) {
      const { waitMs = rules.pollMinMs / 2, isSuspect = false } = reads.get(execution.id) ?? {};
      note(execution.id, { at, waitMs: Math.min(2 * waitMs, MAX_WAIT_MS), isSuspect });
    }
    return taken;
  }

  return {
    suspect(executionId) {
      const { waitMs = rules.pollMinMs } = reads.get(executionId) ?? {};
      note(executionId, { at: now(), waitMs, isSuspect: true });
    },
    ofListed(shown) {
      const at = now();
      const isDoubtful = ({ execution, timeoutS }: DueExecution) =>
        isPastTimeout(execution, timeoutS, at, rules) || reads.get(execution.id)?.isSuspect === true;
      return take(shown.filter(isDoubtful), MAX_BESIDE_LIST, MAX_WAIT_MS);
    },
    withoutList: (watched) => take(watched, MAX_WITHOUT_LIST, rules.pollMaxMs),
  };
}

/** Between two reads of one record: twice the last distance, up to this. */
const MAX_WAIT_MS = 5 * 60_000;
/** Records read beside one list. */
const MAX_BESIDE_LIST = 20;
/** Records read in place of one list. */
const MAX_WITHOUT_LIST = 100;
/** An execution that was forgotten is read earlier than it need be. */
const MAX_REMEMBERED = 10_000;
