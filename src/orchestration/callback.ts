// A callback arrived: it is kept as it came and makes the execution's check due now. Its body is never believed.
import type { Execution } from "../domain/execution.ts";
import { countCallbacks, insertCallback } from "../store/callbacks.ts";
import { nextTicks } from "../store/counters.ts";
import { findExecution } from "../store/executions.ts";
import type { Disposition } from "../store/schema.ts";
import type { Context } from "./context.ts";
import { settleExecution } from "./settle.ts";

export interface Callback {
  executionId: string;
  contentType: string | null;
  body: Buffer;
  /** The body was longer than what is kept. */
  truncated: boolean;
}

/** Resolves once the callback is durable. Null when the execution is gone (pruned, or never came to be). */
export async function receiveCallback(context: Context, callback: Callback): Promise<Disposition | null> {
  const disposition = await context.store.write(async (tx) => {
    const execution = await findExecution(tx.db, callback.executionId);
    if (execution === null) return null;
    const before = await countCallbacks(tx.db, execution.id);
    const disposition = dispositionOf(execution, before, tx.now);
    if (before < MOST_KEPT) {
      await insertCallback(tx.db, {
        id: tx.newId("cbk"),
        execution_id: execution.id,
        received_at: tx.now,
        disposition,
        content_type: callback.contentType?.slice(0, 255) ?? null,
        body: callback.body,
        truncated: callback.truncated ? 1 : 0,
      });
      const data = { disposition, bytes: callback.body.length };
      tx.emit({
        type: "callback.received",
        jobId: execution.jobId,
        runId: execution.runId,
        executionId: execution.id,
        data,
      });
    }
    await nextTicks(tx.db, `callbacks.${disposition}`, 1);
    if (disposition !== "duplicate" && disposition !== "late") {
      await settleExecution(context, tx, execution, { fact: "callback" });
    }
    return disposition;
  });
  if (disposition === "late") context.health.cameLate(callback.executionId);
  if (disposition !== null) context.report.callback({ executionId: callback.executionId, disposition });
  return disposition;
}

/** A leaked URL must not fill the disk: of one execution this many are kept, the others only counted. */
const MOST_KEPT = 32;

function dispositionOf(execution: Execution, before: number, now: number): Disposition {
  if (execution.phase === "collecting" || execution.phase === "closed")
    return before === 0 ? "late" : "duplicate";
  if (isPending(execution, now)) return "duplicate";
  return execution.phase === "submitting" && execution.inDoubtAt === null ? "early" : "received";
}

/** The hint of an earlier callback is still to be followed: another one adds nothing. */
function isPending({ callbackAt, lookedAt }: Execution, now: number): boolean {
  return callbackAt !== null && callbackAt <= now && (lookedAt === null || lookedAt < callbackAt);
}
