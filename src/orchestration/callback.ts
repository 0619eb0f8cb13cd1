// A callback arrived: it is kept as it came and makes the execution's check due now. Its body is never believed.
// Lyceum ends many runs at once, so callbacks are received as they come: all of one turn in one work.
import type { Execution } from "../domain/execution.ts";
import { calledBack } from "../domain/machine/machine.ts";
import { type CallbackRow, findCalled, insertCallbacks } from "../store/callbacks.ts";
import { nextTicks } from "../store/counters.ts";
import { type ExecutionChange, saveExecutions } from "../store/executions.ts";
import type { Disposition } from "../store/schema.ts";
import type { Tx } from "../store/transaction.ts";
import type { Context } from "./context.ts";

export interface Callback {
  executionId: string;
  contentType: string | null;
  body: Buffer;
  /** The body was longer than what is kept. */
  truncated: boolean;
}

/** Resolves once the callback is durable. Null when the execution is gone (pruned, or never came to be). */
export async function receiveCallback(context: Context, callback: Callback): Promise<Disposition | null> {
  const disposition = await context.store.writeTogether(receiveAll, callback);
  if (disposition === "late") context.health.cameLate(callback.executionId);
  if (disposition !== null) context.report.callback({ executionId: callback.executionId, disposition });
  return disposition;
}

/** A leaked URL must not fill the disk: of one execution this many are kept, the others only counted. */
const MOST_KEPT = 32;

async function receiveAll(tx: Tx, callbacks: Callback[]): Promise<(Disposition | null)[]> {
  const found = await findCalled(tx.db, [...new Set(callbacks.map(({ executionId }) => executionId))]);
  const called = new Map(found.map((one) => [one.execution.id, one]));
  const rows: CallbackRow[] = [];
  const changes: ExecutionChange[] = [];
  const counts = new Map<Disposition, number>();

  const dispositions = callbacks.map((callback) => {
    const it = called.get(callback.executionId);
    if (it === undefined) return null;
    const { execution, kept } = it;
    const disposition = dispositionOf(execution, kept, tx.now);
    counts.set(disposition, (counts.get(disposition) ?? 0) + 1);
    if (kept < MOST_KEPT) {
      rows.push(rowOf(callback, disposition, tx));
      it.kept++;
      tx.emit({
        type: "callback.received",
        jobId: execution.jobId,
        runId: execution.runId,
        executionId: execution.id,
        data: { disposition, bytes: callback.body.length },
      });
    }
    const hinted =
      disposition === "duplicate" || disposition === "late" ? null : calledBack(execution, tx.now);
    if (hinted !== null) {
      changes.push({ before: execution, after: hinted });
      it.execution = hinted;
      if (hinted.dueAt !== null) tx.wake("check", hinted.dueAt);
    }
    return disposition;
  });

  await insertCallbacks(tx.db, rows);
  await saveExecutions(tx.db, changes);
  for (const [disposition, count] of counts) await nextTicks(tx.db, `callbacks.${disposition}`, count);
  return dispositions;
}

function rowOf(callback: Callback, disposition: Disposition, tx: Tx): CallbackRow {
  return {
    id: tx.newId("cbk"),
    execution_id: callback.executionId,
    received_at: tx.now,
    disposition,
    content_type: callback.contentType?.slice(0, 255) ?? null,
    body: callback.body,
    truncated: callback.truncated ? 1 : 0,
  };
}

function dispositionOf(execution: Execution, kept: number, now: number): Disposition {
  if (execution.phase === "collecting" || execution.phase === "closed")
    return kept === 0 ? "late" : "duplicate";
  if (isPending(execution, now)) return "duplicate";
  return execution.phase === "submitting" && execution.inDoubtAt === null ? "early" : "received";
}

/** The hint of an earlier callback is still to be followed: another one adds nothing. */
function isPending({ callbackAt, lookedAt }: Execution, now: number): boolean {
  return callbackAt !== null && callbackAt <= now && (lookedAt === null || lookedAt < callbackAt);
}
