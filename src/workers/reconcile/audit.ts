// Selects executions whose record is read although a list answers for them: a list that lags must not keep a run alive.
import { isPastTimeout } from "../../domain/state-machine/schedule.ts";
import type { Context } from "../../orchestration/context.ts";
import type { DueExecution } from "../../store/execution-claims.ts";

export interface Audit {
  /** Lyceum had nothing to abort, so a list that shows the execution alive is doubtful. */
  suspect(executionId: string): void;
  /** Past their timeout or suspect, the longest unread first. */
  ofListed(listed: DueExecution[]): DueExecution[];
  /** The longest unread first. */
  withoutList(watched: DueExecution[]): DueExecution[];
}

interface LastRead {
  at: number;
  waitMs: number;
  isSuspect: boolean;
}

export function createAudit({ rules }: Context, now: () => number): Audit {
  /** Ordered by time. */
  const lastReads = new Map<string, LastRead>();

  function remember(executionId: string, read: LastRead): void {
    lastReads.delete(executionId);
    lastReads.set(executionId, read);
    const [oldest] = lastReads.keys();
    if (lastReads.size > MAX_REMEMBERED && oldest !== undefined) lastReads.delete(oldest);
  }

  function take(candidates: DueExecution[], max: number, maxWaitMs: number): DueExecution[] {
    const at = now();
    const readAt = ({ execution }: DueExecution) => lastReads.get(execution.id)?.at ?? 0;
    const isReadable = ({ execution }: DueExecution) => {
      const read = lastReads.get(execution.id);
      return read === undefined || Math.abs(at - read.at) >= Math.min(read.waitMs, maxWaitMs);
    };
    const taken = candidates
      .filter(isReadable)
      .sort((a, b) => readAt(a) - readAt(b))
      .slice(0, max);
    for (const { execution } of taken) {
      const { waitMs = rules.pollMinMs / 2, isSuspect = false } = lastReads.get(execution.id) ?? {};
      remember(execution.id, { at, waitMs: Math.min(2 * waitMs, MAX_WAIT_MS), isSuspect });
    }
    return taken;
  }

  return {
    suspect(executionId) {
      const { waitMs = rules.pollMinMs } = lastReads.get(executionId) ?? {};
      remember(executionId, { at: now(), waitMs, isSuspect: true });
    },
    ofListed(listed) {
      const at = now();
      const isDoubtful = ({ execution, timeoutS }: DueExecution) =>
        isPastTimeout(execution, timeoutS, at, rules) || lastReads.get(execution.id)?.isSuspect === true;
      return take(listed.filter(isDoubtful), MAX_BESIDE_LIST, MAX_WAIT_MS);
    },
    withoutList: (watched) => take(watched, MAX_WITHOUT_LIST, rules.pollMaxMs),
  };
}

const MAX_WAIT_MS = 5 * 60_000;
const MAX_BESIDE_LIST = 20;
const MAX_WITHOUT_LIST = 100;
/** Forgetting an execution only makes its next read earlier than needed. */
const MAX_REMEMBERED = 10_000;
