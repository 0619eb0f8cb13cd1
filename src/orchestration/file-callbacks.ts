// Files callbacks of the inbox: judges each by its execution, reports it and makes the execution's check due. The body is
// never trusted. A callback for an unknown execution is dropped.
import { type Called, type Disposition, dispositionOf, isOver } from "../domain/callback-disposition.ts";
import type { Execution } from "../domain/execution.ts";
import { applyCallback } from "../domain/state-machine/transition.ts";
import { isInFlight } from "../domain/state-machine/transition-types.ts";
import {
  type CallbackRow,
  type CallbackTarget,
  findCallbackTargets,
  insertCallbacks,
  saveCallbackHints,
} from "../store/callbacks.ts";
import { incrementCounter } from "../store/counters.ts";
import type { Db, Tx } from "../store/db/transaction.ts";
import { type InboxEntry, type InboxRow, takeFromInbox } from "../store/inbox.ts";
import type { Context } from "./context.ts";

/** The callbacks of one execution. */
export interface Filed<T extends Target = Target, R = InboxRow> {
  /** The execution as the callbacks leave it. */
  target: T;
  rows: R[];
  /** One per row. */
  dispositions: Disposition[];
  /** The first rows are stored, so many. */
  kept: number;
  /** They make the check of the execution due. */
  isHint: boolean;
}

type Target = Called & Pick<Execution, "id" | "runId" | "jobId" | "dueAt">;

/**
 * Files callbacks by themselves. Returns the executions that are claimed for their check.
 * @param check `leaseUntil` claims the executions; `checkAt` makes them due then
 */
export async function fileCallbacks(
  context: Context,
  tx: Tx,
  seqs: number[],
  check: { leaseUntil: number } | { checkAt: number },
): Promise<string[]> {
  const filed = await judgeAll(tx.db, await takeFromInbox(tx.db, seqs));
  const hinted = filed.flatMap(({ target, isHint }) => (isHint ? [target] : []));
  const due = hinted.filter((target) => !isInFlight(target));
  const isClaim = "leaseUntil" in check;
  const dueAt = isClaim ? check.leaseUntil : check.checkAt;
  const toCheck = due.map((target) => ({ ...target, dueAt }));
  await saveCallbackHints(tx.db, toCheck, isClaim ? tx.instance : null);
  await saveCallbackHints(tx.db, hinted.filter(isInFlight), null);
  await saveFiled(context, tx, filed);
  if (isClaim) return due.map(({ id }) => id);
  if (due.length > 0) tx.wake("reconcile", dueAt);
  return [];
}

/** In the order of arrival. Those for unknown executions are left out. */
export async function judgeAll<R extends InboxEntry>(db: Db, rows: R[]): Promise<Filed<CallbackTarget, R>[]> {
  if (rows.length === 0) return [];
  const byExecution = Map.groupBy(rows, (row) => row.execution_id);
  const targets = await findCallbackTargets(db, [...byExecution.keys()]);
  return targets.map((target) => judge(target, byExecution.get(target.id) ?? []));
}

/** Each callback changes what the next one is judged by. */
function judge<T extends Target, R extends InboxEntry>(execution: T, rows: R[]): Filed<T, R> {
  const target = { ...execution };
  let isHint = false;
  const dispositions = rows.map(({ received_at }) => {
    const disposition = dispositionOf(target, received_at);
    const addsNothing = disposition === "duplicate" || disposition === "late";
    const hint = addsNothing ? null : applyCallback(target, received_at);
    isHint ||= hint !== null;
    Object.assign(target, hint, { stored: target.stored + 1 });
    return disposition;
  });
  return { target, rows, dispositions, kept: Math.max(0, MAX_STORED - execution.stored), isHint };
}

export function toCallback(row: InboxRow, disposition: Disposition): CallbackRow {
  const { id, execution_id, received_at, content_type, content_encoding, body, truncated } = row;
  return { id, execution_id, received_at, disposition, content_type, content_encoding, body, truncated };
}

/** Further callbacks of the execution are only counted: a leaked URL must not fill the disk. */
const MAX_STORED = 32;

/** Returns what a fact files about an execution: null for all but the first fact, and without callbacks. */
export type FileWith = (execution: Execution) => Filed | null;

/** Takes the callbacks of executions whose check is under way out of the inbox, to be filed with what Lyceum says. */
export async function takeUnderCheck(
  { underCheck }: Context,
  { db, afterCommit }: Tx,
  executionIds: string[],
): Promise<FileWith> {
  const called = executionIds.filter((id) => underCheck.has(id));
  if (called.length === 0) return () => null;
  const seqs = new Set(called.flatMap((id) => underCheck.get(id) ?? []).map(({ seq }) => seq));
  const rows = Map.groupBy(await takeFromInbox(db, [...seqs]), (row) => row.execution_id);
  afterCommit(() => {
    for (const id of called) {
      // Another callback may have come meanwhile.
      const rest = underCheck.get(id)?.filter(({ seq }) => !seqs.has(seq)) ?? [];
      if (rest.length > 0) underCheck.set(id, rest);
      else underCheck.delete(id);
    }
  });
  return (execution) => {
    const taken = rows.get(execution.id) ?? [];
    rows.delete(execution.id);
    const [first] = taken;
    return first === undefined ? null : judge({ ...execution, stored: first.stored }, taken);
  };
}

/** Stores, reports and counts callbacks. The caller saves their executions. */
export async function saveFiled(context: Context, tx: Tx, filed: Filed[]): Promise<void> {
  if (filed.length === 0) return;
  const stored: CallbackRow[] = [];
  const counts = new Map<Disposition, number>();
  for (const { target, rows, dispositions, kept } of filed) {
    const { id: executionId, runId, jobId } = target;
    for (const [index, disposition] of dispositions.entries()) {
      counts.set(disposition, (counts.get(disposition) ?? 0) + 1);
      const row = rows[index];
      if (row === undefined || index >= kept) continue;
      stored.push(toCallback(row, disposition));
      const data = { disposition, bytes: row.body.length };
      tx.emit({ type: "callback.received", jobId, runId, executionId, data });
    }
  }
  await insertCallbacks(tx.db, stored);
  for (const [disposition, count] of counts) {
    const name = `callbacks.${disposition}`;
    tx.atEnd(`counters ${name}`, () => incrementCounter(tx.db, name, count));
    tx.count(name, count);
  }
  tx.afterCommit(() => {
    for (const { target, dispositions } of filed) {
      const { id: executionId, jobId } = target;
      if (isOver(target)) context.health.cameLate(executionId);
      for (const disposition of dispositions) context.report.callback({ executionId, jobId, disposition });
    }
  });
}
