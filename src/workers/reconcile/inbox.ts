// Reads the inbox, the oldest callbacks first. On SQLite, whose one process knows what it works on, the callbacks of a live
// execution stay in the inbox while its record is read, and are filed with what Lyceum says. All others, and all on
// PostgreSQL, are filed by themselves.
import { dispositionOf } from "../../domain/callback-disposition.ts";
import { isPaused } from "../../lib/clock.ts";
import { DatabaseUnavailable } from "../../lib/database-error.ts";
import type { Context } from "../../orchestration/context.ts";
import { fileCallbacks } from "../../orchestration/file-callbacks.ts";
import { type DueExecution, loadDue } from "../../store/execution-claims.ts";
import { type InboxEntry, readInbox } from "../../store/inbox.ts";
import type { Claims } from "../claims.ts";

export interface Inbox {
  /** Returns the executions to check because of the next callbacks; those of `context.underCheck` without a claim. */
  take(limit: number): Promise<DueExecution[]>;
  /** Files callbacks that have waited too long for the answer to their check, or, while no checks begin, for a check. */
  fileOverdue(limit: number, held: Held | null): Promise<void>;
  /** These checks have ended. Returns true if callbacks are left that no fact has filed. */
  checked(due: readonly DueExecution[]): boolean;
  /** The next look at the inbox if no further callback comes (epoch ms). */
  nextAt(): number;
}

/** No checks begin now. */
interface Held {
  /** Callbacks that are filed meanwhile need not be checked earlier. */
  checkInMs: number;
}

export function createInbox(
  context: Context,
  { now, claims }: { now: () => number; claims: Pick<Claims, "claimWith" | "failed"> },
): Inbox {
  const { store, report, underCheck, rules } = context;
  /** Callbacks to be filed by themselves, and from when on: their check failed, or their filing. */
  const setAside = new Map<number, number>();
  let nextAt = Number.POSITIVE_INFINITY;

  const overdueAt = ({ received_at }: InboxEntry) => received_at + rules.pollMinMs;
  const isOverdue = (entry: InboxEntry) => !isPaused(overdueAt(entry), rules.pollMinMs, now());
  const lookAt = () => Math.min(nextAt, ...setAside.values());

  /** The check has ended while its callbacks were being filed. */
  const hasEnded = ({ execution }: DueExecution) => !underCheck.has(execution.id);

  /** The oldest entries that nobody works on. */
  async function read(limit: number): Promise<InboxEntry[]> {
    const busy = new Set([...underCheck.values()].flat().map(({ seq }) => seq));
    const entries = await readInbox(store.db, limit + busy.size + setAside.size);
    const found = new Set(entries.map(({ seq }) => seq));
    for (const [seq, until] of setAside) if (until <= now() && !found.has(seq)) setAside.delete(seq);
    const free = entries.filter(
      ({ seq }) => !busy.has(seq) && !isPaused(setAside.get(seq) ?? 0, FAULTED_MS, now()),
    );
    return free.slice(0, limit);
  }

  async function file(
    entries: InboxEntry[],
    write: (seqs: number[]) => Promise<DueExecution[]>,
  ): Promise<DueExecution[]> {
    if (entries.length === 0) return [];
    try {
      const due = await write(entries.map(({ seq }) => seq));
      for (const { seq } of entries) setAside.delete(seq);
      return due;
    } catch (error) {
      if (error instanceof DatabaseUnavailable) throw error;
      const [entry, ...others] = entries;
      if (entry !== undefined && others.length === 0) {
        report.fault("inbox", error);
        setAside.set(entry.seq, now() + FAULTED_MS);
        return [];
      }
      // A bad callback fails alone.
      const due: DueExecution[] = [];
      for (const single of entries) due.push(...(await file([single], write)));
      return due;
    }
  }

  const fileAndClaim = (entries: InboxEntry[]) =>
    file(entries, (seqs) =>
      claims.claimWith((tx, leaseUntil) => fileCallbacks(context, tx, seqs, { leaseUntil })),
    );

  async function fileUnchecked(entries: InboxEntry[], { checkInMs }: Held): Promise<void> {
    await file(entries, async (seqs) => {
      await store.write((tx) => fileCallbacks(context, tx, seqs, { checkAt: tx.now + checkInMs }));
      return [];
    });
  }

  /** Live executions whose records are to be read because of these callbacks. */
  async function toCheck(entries: InboxEntry[]): Promise<DueExecution[]> {
    const callbackAts = new Map<string, number>();
    for (const { execution_id, received_at } of entries.toReversed())
      callbackAts.set(execution_id, received_at);
    const due = await loadDue(store.db, [...callbackAts.keys()]);
    return due.flatMap((called): DueExecution[] => {
      const { execution } = called;
      const callbackAt = callbackAts.get(execution.id) ?? 0;
      const isNew = dispositionOf({ ...execution, stored: 0 }, callbackAt) === "received";
      return isNew && execution.phase === "watching"
        ? [{ ...called, execution: { ...execution, callbackAt } }]
        : [];
    });
  }

  /** Leaves callbacks in the inbox while their executions are checked, and files the others. */
  async function beginChecks(entries: InboxEntry[]): Promise<DueExecution[]> {
    const isFresh = (entry: InboxEntry) => !setAside.has(entry.seq) && !isOverdue(entry);
    const checks = await toCheck(
      entries.filter(isFresh).filter((entry) => !underCheck.has(entry.execution_id)),
    );
    const begun = new Set(checks.map(({ execution }) => execution.id));
    const { checked = [], others = [] } = Object.groupBy(entries, (entry) => {
      const isChecked = begun.has(entry.execution_id) || underCheck.has(entry.execution_id);
      return isChecked && isFresh(entry) ? "checked" : "others";
    });
    const claimed = await fileAndClaim(others);
    const claimedIds = new Set(claimed.map(({ execution }) => execution.id));
    const begunChecks = checks.filter(({ execution }) => !claimedIds.has(execution.id));
    for (const { execution } of begunChecks) underCheck.set(execution.id, []);
    for (const entry of checked) {
      const known = underCheck.get(entry.execution_id);
      if (known !== undefined) known.push(entry);
      // The check has ended meanwhile, or was claimed: the callback is read again.
      else nextAt = now();
    }
    return [...begunChecks, ...claimed];
  }

  return {
    async take(limit) {
      const entries = await read(limit);
      nextAt = entries.length === limit ? now() : Number.POSITIVE_INFINITY;
      return store.kind === "sqlite" ? beginChecks(entries) : fileAndClaim(entries);
    },
    async fileOverdue(limit, held) {
      const late = [...underCheck].filter(([, entries]) => entries.some(isOverdue));
      // Claimed, so that nobody begins a second check.
      const claimed = await fileAndClaim(late.flatMap(([, entries]) => entries));
      claims.failed(claimed.filter(hasEnded));
      for (const [executionId] of late) underCheck.delete(executionId);
      if (held === null || isPaused(lookAt(), rules.pollMinMs, now())) return;
      const waiting = await read(limit);
      const [first] = waiting;
      nextAt = first === undefined ? Number.POSITIVE_INFINITY : overdueAt(first);
      if (!waiting.some((entry) => isOverdue(entry) || setAside.has(entry.seq))) return;
      for (let from = 0; from < waiting.length; from += FILED_AT_ONCE)
        await fileUnchecked(waiting.slice(from, from + FILED_AT_ONCE), held);
      nextAt = waiting.length < limit ? Number.POSITIVE_INFINITY : now() + FILING_PAUSE_MS;
    },
    checked(due) {
      const left = due.flatMap(({ execution }) => underCheck.get(execution.id) ?? []);
      for (const { execution } of due) underCheck.delete(execution.id);
      for (const { seq } of left) setAside.set(seq, now());
      return left.length > 0;
    },
    nextAt() {
      const [[firstChecked] = []] = underCheck.values();
      const checkedAt = firstChecked === undefined ? Number.POSITIVE_INFINITY : overdueAt(firstChecked);
      return Math.min(lookAt(), checkedAt);
    },
  };
}

const FAULTED_MS = 60_000;
/** While nothing is checked, filing leaves the processor to the callbacks that still come. */
const FILING_PAUSE_MS = 1_000;
/** A power of two, which one statement takes. A larger transaction would hold up the callbacks that still come. */
const FILED_AT_ONCE = 64;
