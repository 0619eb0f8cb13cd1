// A callback arrived: it is kept as it came and makes the execution's check due now. Its body is never believed.
// Lyceum ends many runs at once, so callbacks are received as they come: all of one turn in one work.
import type { EventDraft } from "../domain/event.ts";
import { applyCallback } from "../domain/state-machine/transition.ts";
import { type CallbackRow, type Called, findCalled, insertCallbacks, saveHints } from "../store/callbacks.ts";
import { incrementCounter } from "../store/counters.ts";
import type { Disposition } from "../store/db/schema.ts";
import type { Tx } from "../store/db/transaction.ts";
import type { Context } from "./context.ts";

export interface Callback {
  executionId: string;
  contentType: string | null;
  contentEncoding?: string | null;
  body: Buffer;
  /** The body was longer than what is kept. */
  truncated: boolean;
}

/** Resolves once the callback is durable. Null when the execution is gone (pruned, or never came to be). */
export async function receiveCallback(context: Context, callback: Callback): Promise<Disposition | null> {
  const disposition = await context.store.batchWrite(receiveAll, callback);
  if (disposition === "late") context.health.cameLate(callback.executionId);
  if (disposition !== null) context.report.callback({ executionId: callback.executionId, disposition });
  return disposition;
}

/** A leaked URL must not fill the disk: of one execution this many are kept, the others only counted. */
const MAX_KEPT = 32;

async function receiveAll(tx: Tx, callbacks: Callback[]): Promise<(Disposition | null)[]> {
  const found = await findCalled(tx.db, [...new Set(callbacks.map(({ executionId }) => executionId))]);
  const called = new Map(found.map((one) => [one.id, one]));
  const rows: CallbackRow[] = [];
  const hinted = new Set<Called>();
  const counts = new Map<Disposition, number>();

  const dispositions = callbacks.map((callback) => {
    const it = called.get(callback.executionId);
    if (it === undefined) return null;
    const disposition = dispositionOf(it, tx.now);
    counts.set(disposition, (counts.get(disposition) ?? 0) + 1);
    if (it.kept < MAX_KEPT) {
      rows.push(rowOf(callback, disposition, tx));
      tx.emit(eventOf(it, disposition, callback.body.length));
      it.kept++;
    }
    const hint = disposition === "duplicate" || disposition === "late" ? null : applyCallback(it, tx.now);
    if (hint !== null) {
      hinted.add(Object.assign(it, hint));
      if (it.dueAt !== null) tx.wake("check", it.dueAt);
    }
    return disposition;
  });

  await insertCallbacks(tx.db, rows);
  await saveHints(tx.db, [...hinted]);
  // In one order: on PostgreSQL others count, too.
  for (const [disposition, count] of [...counts].sort())
    await incrementCounter(tx.db, `callbacks.${disposition}`, count);
  return dispositions;
}

function eventOf({ id, runId, jobId }: Called, disposition: Disposition, bytes: number): EventDraft {
  return { type: "callback.received", jobId, runId, executionId: id, data: { disposition, bytes } };
}

function rowOf(callback: Callback, disposition: Disposition, tx: Tx): CallbackRow {
  return {
    id: tx.newId("cbk"),
    execution_id: callback.executionId,
    received_at: tx.now,
    disposition,
    content_type: callback.contentType?.slice(0, 255) ?? null,
    content_encoding: callback.contentEncoding?.slice(0, 255) ?? null,
    body: callback.body,
    truncated: callback.truncated ? 1 : 0,
  };
}

function dispositionOf(called: Called, now: number): Disposition {
  const { phase, inDoubtAt, kept } = called;
  if (phase === "collecting" || phase === "closed") return kept === 0 ? "late" : "duplicate";
  if (isPending(called, now)) return "duplicate";
  return phase === "submitting" && inDoubtAt === null ? "early" : "received";
}

/** The hint of an earlier callback is still to be followed: another one adds nothing. */
function isPending({ callbackAt, lookedAt }: Called, now: number): boolean {
  return callbackAt !== null && callbackAt <= now && (lookedAt === null || lookedAt < callbackAt);
}
