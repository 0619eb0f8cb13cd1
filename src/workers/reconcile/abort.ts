// Aborts an execution until its record shows the end. An id that is not known to be its own is not aborted.

import type { Execution } from "../../domain/execution.ts";
import type { CancelMode } from "../../domain/run.ts";
import { isPastTimeout } from "../../domain/state-machine/schedule.ts";
import { exponentialMs } from "../../lib/backoff.ts";
import { forExecution } from "../../lib/subject.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import type { ReadOutcome } from "../../lyceum/outcome.ts";
import { isOver, isUsableId, lyceumIdOf } from "../../lyceum/snapshot.ts";
import type { Context } from "../../orchestration/context.ts";
import type { DueExecution } from "../../store/execution-claims.ts";
import type { Audit } from "./audit.ts";
import type { KnownIds } from "./known-ids.ts";
import type { ReadRecord, RecordState } from "./read-record.ts";
import type { FactRecorder } from "./record-fact.ts";

export interface AbortOptions {
  lyceum: LyceumClient;
  now: () => number;
  recorder: FactRecorder;
  audit: Audit;
  readRecord: ReadRecord;
  knownIds: KnownIds;
}

export interface Abort {
  isDue(due: DueExecution): boolean;
  send(due: DueExecution, mode: CancelMode): Promise<RecordState>;
}

export function createAbort(context: Context, options: AbortOptions): Abort {
  const { lyceum, now, recorder, audit, readRecord, knownIds } = options;
  /** In a row, by our ids. */
  const deniedAborts = new Map<string, number>();

  function countDenied({ id }: Execution): void {
    if (deniedAborts.size > MAX_REMEMBERED) deniedAborts.clear();
    deniedAborts.set(id, (deniedAborts.get(id) ?? 0) + 1);
  }

  /** Null: the execution may be aborted. */
  async function findObstacle(due: DueExecution, id: string): Promise<RecordState | null> {
    const { execution } = due;
    if (knownIds.has(execution)) return null;
    const record = await lyceum.record(id, execution.id, "cancel");
    if (record.type === "ok" && !isOver(record.value)) {
      knownIds.add(execution);
      return null;
    }
    // Nothing says that the record is another execution's.
    if (record.type === "refused" || (record.type === "unreadable" && record.isForeign !== true)) return null;
    const state = await readRecord(due, { by: "poll", record });
    // A status word does not tell whose it is: the execution is searched for by its marker.
    return state === "recorded" && record.type === "missing" ? "barred" : state;
  }

  return {
    isDue({ execution, timeoutS }) {
      const { id, cancelSentAt } = execution;
      if (cancelSentAt === null) return true;
      const isPast = (at: number) => isPastTimeout(execution, timeoutS, at, context.rules);
      // The same answer of Lyceum means more once the timeout has passed.
      if (isPast(now()) && !isPast(cancelSentAt)) return true;
      return now() - cancelSentAt >= exponentialMs(1 + (deniedAborts.get(id) ?? 0), AGAIN);
    },
    send: (due, mode) => forExecution(due.execution, () => send(due, mode)),
  };

  async function send(due: DueExecution, mode: CancelMode): Promise<RecordState> {
    const { execution } = due;
    const id = lyceumIdOf(execution);
    if (!isUsableId(id)) return "absent";
    const obstacle = await findObstacle(due, id);
    if (obstacle !== null) return obstacle;
    const answer = mode === "stop" ? await lyceum.stop(id) : await lyceum.abort(id);
    context.report.check({
      executionId: execution.id,
      jobId: execution.jobId,
      cause: "cancel",
      word: answer.type,
    });
    const isDenied = answer.type === "missing" || answer.type === "refused";
    if (answer.type !== "ok" && !isDenied) {
      // Only the abort may be unreachable: the record may still show an end.
      const record = await lyceum.record(id, execution.id, "overdue");
      if (record.type === "ok" && isOver(record.value)) return readRecord(due, { by: "poll", record });
      await recorder.recordUnanswered(execution, answer, context.rules.pollMaxMs);
      return "silent";
    }
    await recorder.record(execution, { type: "cancel_sent", mode });
    if (!isDenied) {
      deniedAborts.delete(execution.id);
      return "recorded";
    }
    countDenied(execution);
    audit.suspect(execution.id);
    return readRecord(due, { by: "poll", isBeyondAbort: isBeyond(answer) });
  }
}

/** Unknown, gone or over. */
function isBeyond(answer: ReadOutcome<unknown>): boolean {
  return answer.type === "missing" || (answer.type === "refused" && answer.status === 409);
}

/** An abort without effect is sent again after this, and ever later if there was nothing to end. */
const AGAIN = { firstMs: 30_000, maxMs: 5 * 60_000 };
const MAX_REMEMBERED = 10_000;
