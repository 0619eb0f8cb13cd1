// Stores callbacks as received and makes their executions' checks due now. The body is never trusted.
import type { EventDraft } from "../domain/event.ts";
import { applyCallback } from "../domain/state-machine/transition.ts";
import {
  type CallbackRow,
  type CallbackTarget,
  findCallbackTargets,
  insertCallbacks,
  saveCallbackHints,
} from "../store/callbacks.ts";
import { incrementCounter } from "../store/counters.ts";
import type { Disposition } from "../store/db/schema.ts";
import type { Tx } from "../store/db/transaction.ts";
import type { Context } from "./context.ts";

export interface Callback {
  executionId: string;
  contentType: string | null;
  contentEncoding?: string | null;
  body: Buffer;
  truncated: boolean;
}

/** Resolves once the callback is durable. Null: the execution does not exist (any more). */
export async function receiveCallback(context: Context, callback: Callback): Promise<Disposition | null> {
  const received = await context.store.batchWrite(receiveAll, callback);
  if (received === null) return null;
  const { disposition, jobId } = received;
  if (disposition === "late") context.health.cameLate(callback.executionId);
  context.report.callback({ executionId: callback.executionId, jobId, disposition });
  return disposition;
}

/** Further callbacks of the execution are only counted: a leaked URL must not fill the disk. */
const MAX_STORED = 32;

interface Received {
  disposition: Disposition;
  jobId: string;
}

async function receiveAll(tx: Tx, callbacks: Callback[]): Promise<(Received | null)[]> {
  const ids = new Set(callbacks.map(({ executionId }) => executionId));
  const found = await findCallbackTargets(tx.db, [...ids]);
  const targets = new Map(found.map((target) => [target.id, target]));
  const rows: CallbackRow[] = [];
  const changed = new Set<CallbackTarget>();
  const counts = new Map<Disposition, number>();

  const received = callbacks.map((callback): Received | null => {
    const target = targets.get(callback.executionId);
    if (target === undefined) return null;
    const disposition = dispositionOf(target, tx.now);
    counts.set(disposition, (counts.get(disposition) ?? 0) + 1);
    if (target.stored < MAX_STORED) {
      rows.push(rowOf(callback, disposition, tx));
      tx.emit(eventOf(target, disposition, callback.body.length));
      target.stored++;
    }
    const addsNothing = disposition === "duplicate" || disposition === "late";
    const change = addsNothing ? null : applyCallback(target, tx.now);
    if (change !== null) {
      changed.add(Object.assign(target, change));
      if (target.dueAt !== null) tx.wake("reconcile", target.dueAt);
    }
    return { disposition, jobId: target.jobId };
  });

  await insertCallbacks(tx.db, rows);
  await saveCallbackHints(tx.db, [...changed]);
  for (const [disposition, count] of counts) {
    const name = `callbacks.${disposition}`;
    tx.atEnd(`counters ${name}`, () => incrementCounter(tx.db, name, count));
    tx.count(name, count);
  }
  return received;
}

function eventOf({ id, runId, jobId }: CallbackTarget, disposition: Disposition, bytes: number): EventDraft {
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

function dispositionOf(target: CallbackTarget, now: number): Disposition {
  const { phase, inDoubtAt, stored } = target;
  if (phase === "collecting" || phase === "closed") return stored === 0 ? "late" : "duplicate";
  if (isPending(target, now)) return "duplicate";
  return phase === "submitting" && inDoubtAt === null ? "early" : "received";
}

/** The check of an earlier callback is still due, so another callback adds nothing. */
function isPending({ callbackAt, checkedAt }: CallbackTarget, now: number): boolean {
  return callbackAt !== null && callbackAt <= now && (checkedAt === null || checkedAt < callbackAt);
}
