// Lists callbacks, filed or not: those of the inbox are shown as they will be filed.
import {
  type CallbackFilter,
  type CallbackRow,
  listCallbacks as listFiled,
  listInbox,
  scanCallbacks,
} from "../store/callbacks.ts";
import type { Db } from "../store/db/transaction.ts";
import { entriesOf, type InboxRow, inboxOf } from "../store/inbox.ts";
import type { Scanned } from "../store/scan.ts";
import { judgeAll, toCallback } from "./file-callbacks.ts";

/** Callbacks of an execution after the given id, in the order of arrival. */
export async function listCallbacks(
  db: Db,
  executionId: string,
  after: string,
  limit: number,
): Promise<CallbackRow[]> {
  // The inbox first: a callback that is filed in between is then read twice, and never missed.
  const unfiled = await viewUnfiled(db, await inboxOf(db, executionId, after, limit));
  const filed = await listFiled(db, executionId, after, limit);
  return merge(unfiled, filed).slice(0, limit);
}

/** Callbacks of all executions, newest first. */
export async function listAllCallbacks(
  db: Db,
  filter: CallbackFilter,
  limit: number,
): Promise<Scanned<CallbackRow>> {
  const { disposition } = filter;
  const inbox = await listInbox(db, filter, limit + 1);
  const inboxEnd = inbox.length > limit ? (inbox[limit]?.id ?? null) : null;
  const unfiled = await viewUnfiled(db, inbox);
  const filed = await scanCallbacks(db, filter, limit);
  // Both were read down to here.
  const end = [inboxEnd, filed.next].reduce((a, b) => (String(a ?? "") > String(b ?? "") ? a : b));
  const rows = merge(
    unfiled.filter((row) => disposition === undefined || row.disposition === disposition),
    filed.rows,
  ).toReversed();
  const read = rows.filter(({ id }) => end === null || id >= String(end));
  const shown = read.slice(0, limit);
  return { rows: shown, next: read.length > limit ? (shown.at(-1)?.id ?? null) : end };
}

async function viewUnfiled(db: Db, rows: InboxRow[]): Promise<CallbackRow[]> {
  if (rows.length === 0) return [];
  // Earlier callbacks of the same executions, which are on other pages, decide as well.
  const executionIds = [...new Set(rows.map((row) => row.execution_id))];
  const judged = await judgeAll(db, await entriesOf(db, executionIds, MAX_JUDGED));
  const dispositions = new Map(
    judged.flatMap((filed) =>
      filed.rows.slice(0, filed.kept).map(({ seq }, index) => [seq, filed.dispositions[index]] as const),
    ),
  );
  return rows.flatMap((row) => {
    const disposition = dispositions.get(row.seq);
    return disposition === undefined ? [] : [toCallback(row, disposition)];
  });
}

const MAX_JUDGED = 10_000;

/** By id. A callback that was filed between the two readings is shown as filed. */
function merge(unfiled: CallbackRow[], filed: CallbackRow[]): CallbackRow[] {
  if (unfiled.length === 0) return filed.toSorted(byId);
  return [...new Map([...unfiled, ...filed].map((row) => [row.id, row])).values()].sort(byId);
}

function byId(one: CallbackRow, other: CallbackRow): number {
  return one.id < other.id ? -1 : 1;
}
