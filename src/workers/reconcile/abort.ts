// Abort: the end of an execution is asked for, again and again until its record tells of one. An answer that there is
// nothing to end proves nothing: the record is read then, whatever a list shows. An id that has not been seen to be the
// execution's own is not aborted: it may be another's.
import type { Execution } from "../../domain/execution.ts";
import type { CancelMode } from "../../domain/run.ts";
import { isPastTimeout } from "../../domain/state-machine/schedule.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import type { ReadOutcome } from "../../lyceum/outcome.ts";
import type { Context } from "../../orchestration/context.ts";
import type { DueExecution } from "../../store/execution-claims.ts";
import { isOver, isUsableId, lyceumIdOf } from "../collect/record-artifact.ts";
import type { Audit } from "./audit.ts";
import type { KnownIds } from "./known-ids.ts";
import type { ReadRecord, RecordState } from "./read-record.ts";
import type { FactRecorder } from "./record-fact.ts";

export interface AbortOptions {
  lyceum: LyceumClient;
  now: () => number;
  notes: FactRecorder;
  audit: Audit;
  confirm: ReadRecord;
  own: KnownIds;
}

export interface Abort {
  /** Whether the end is to be asked for (again). */
  isDue(one: DueExecution): boolean;
  send(one: DueExecution, mode: CancelMode): Promise<RecordState>;
}

export function createAbort(context: Context, options: AbortOptions): Abort {
  const { lyceum, now, notes, audit, confirm, own } = options;
  /** Count of aborts in a row that found nothing to end, by our ids. */
  const inVain = new Map<string, number>();

  function count({ id }: Execution): void {
    if (inVain.size > MAX_REMEMBERED) inVain.clear();
    inVain.set(id, (inVain.get(id) ?? 0) + 1);
  }

  /** Answers null if the execution may be aborted. */
  async function findObstacle(one: DueExecution, id: string): Promise<RecordState | null> {
    const { execution } = one;
    if (own.has(execution)) return null;
    const record = await lyceum.record(id, execution.id, "cancel");
    if (record.type === "ok" && !isOver(record.value)) {
      own.note(execution);
      return null;
    }
    // Lyceum has a record that cannot be had, and nothing says that it is another's.
    if (record.type === "refused" || (record.type === "unreadable" && record.isForeign !== true)) return null;
    const confirmed = await confirm(one, { by: "poll", record });
    // A word alone does not tell whose it is: the execution is searched for by its marker.
    return confirmed === "noted" && record.type === "missing" ? "barred" : confirmed;
  }

  return {
    isDue({ execution, timeoutS }) {
      const { id, cancelSentAt } = execution;
      if (cancelSentAt === null) return true;
      const isPast = (at: number) => isPastTimeout(execution, timeoutS, at, context.rules);
      // Past the timeout the same answer says more.
      if (isPast(now()) && !isPast(cancelSentAt)) return true;
      return now() - cancelSentAt >= Math.min(AGAIN_MS * 2 ** (inVain.get(id) ?? 0), MAX_AGAIN_MS);
    },
    async send(one, mode) {
      const { execution } = one;
      const id = lyceumIdOf(execution);
      if (!isUsableId(id)) return "absent";
      const obstacle = await findObstacle(one, id);
      if (obstacle !== null) return obstacle;
      const answer = mode === "stop" ? await lyceum.stop(id) : await lyceum.abort(id);
      context.report.check({ executionId: execution.id, cause: "cancel", word: answer.type });
      const isDenied = answer.type === "missing" || answer.type === "refused";
      if (answer.type !== "ok" && !isDenied) {
        // The abort alone may be cut off: the record tells of an end all the same.
        const record = await lyceum.record(id, execution.id, "overdue");
        if (record.type === "ok" && isOver(record.value)) return confirm(one, { by: "poll", record });
        await notes.unanswered(execution, answer, context.rules.pollMaxMs);
        return "silent";
      }
      await notes.note(execution, { type: "cancel_sent", mode });
      if (!isDenied) {
        inVain.delete(execution.id);
        return "noted";
      }
      count(execution);
      audit.suspect(execution.id);
      return confirm(one, { by: "poll", isBeyondAbort: isBeyond(answer) });
    },
  };
}

/** Lyceum says that the execution is not there (any more), or over. */
function isBeyond(answer: ReadOutcome<unknown>): boolean {
  return answer.type === "missing" || (answer.type === "refused" && answer.status === 409);
}

/** An abort that has not shown an effect is sent again after this; after ever longer where there was nothing to end. */
const AGAIN_MS = 30_000;
const MAX_AGAIN_MS = 5 * 60_000;
const MAX_REMEMBERED = 10_000;
