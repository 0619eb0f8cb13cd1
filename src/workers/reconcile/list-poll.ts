// Polls one list for all executions that are merely expected to end. Without news nothing is written.

import type { Snapshot } from "../../domain/execution.ts";
import { takesCallback } from "../../domain/spec.ts";
import { nextCheckAt } from "../../domain/state-machine/schedule.ts";
import { nextCheckIfUnchanged } from "../../domain/state-machine/watching.ts";
import { isPaused } from "../../lib/clock.ts";
import type { ListedRow } from "../../lyceum/answer.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import type { ReadOutcome } from "../../lyceum/outcome.ts";
import { snapshotOfWord } from "../../lyceum/snapshot.ts";
import type { Context } from "../../orchestration/context.ts";
import type { DueExecution } from "../../store/execution-claims.ts";
import type { Audit } from "./audit.ts";
import type { KnownIds } from "./known-ids.ts";
import { isSearched, type ListSnapshot, wordOf } from "./list-snapshot.ts";

export interface ListPollOptions {
  lyceum: LyceumClient;
  now: () => number;
  /** An execution whose next check is later than the lease is released. */
  leaseMs: number;
  batch: number;
  audit: Audit;
  knownIds: KnownIds;
  retryAt(answer: ReadOutcome<unknown>): number;
  /** Takes executions with something to record. Resolves when further ones may follow. */
  onChanged(changed: DueExecution[], listSnapshot: ListSnapshot): Promise<void>;
  /** `dueAt` says when the next poll is. */
  onPolled(): void;
}

export interface ListPoll {
  /** The next list is due now. */
  watch(claimed: DueExecution[]): void;
  /** Recorded and still claimed. The next list is not urgent. */
  keep(recorded: DueExecution[]): void;
  /** These were claimed anew. */
  forget(claimed: DueExecution[]): void;
  /** Stops watching. Returns the watched executions, which are still claimed. */
  leave(): DueExecution[];
  dueAt(): number;
  poll(): void;
  idle(): Promise<void>;
}

export function createListPoll(context: Context, options: ListPollOptions): ListPoll {
  const { lyceum, now, leaseMs, batch, audit, knownIds, retryAt, onChanged, onPolled } = options;
  const watched = new Map<string, DueExecution>();
  let dueAt = Number.POSITIVE_INFINITY;
  let pauseUntil = 0;
  let silentUntil = 0;
  /** In a row, though Lyceum asked for no pause. */
  let failures = 0;
  let polling: Promise<void> | null = null;

  const plan = (at: number) => {
    dueAt = Math.min(dueAt, at);
  };
  const add = (due: DueExecution, checkAt: number) => {
    watched.set(due.execution.id, due);
    plan(checkAt);
  };

  const pausedBySilenceUntil = () =>
    isPaused(silentUntil, context.rules.pollMaxMs, now()) ? silentUntil : 0;

  async function pollOnce(): Promise<void> {
    const polled = [...watched.values()];
    dueAt = Number.POSITIVE_INFINITY;
    if (polled.length === 0) return;
    const askedAt = now();
    const isSearch = polled.some(isSearched);
    // A single execution skips the list: its record tells more.
    const isRead = polled.length > 1 || isSearch;
    const list = isRead ? await lyceum.workloads(isSearch ? "overdue" : "routine") : NO_ROWS;
    const stillWatched = polled.filter(isStillWatched);
    if (list.type !== "ok") return handleMissingList(list, stillWatched, askedAt);
    if (isRead) failures = 0;
    const rows = new Map(list.value.map((row) => [row.executionId, row]));
    knownIds.addListed(stillWatched, rows);
    const records = new Set(audit.ofListed(stillWatched.filter((due) => !isSearched(due))));
    const listSnapshot: ListSnapshot = { list, isRead, rows, askedAt, records, failures };
    await handOver(findChanged(stillWatched, listSnapshot), listSnapshot);
  }

  /** After several polls without a list, single records are read instead. */
  async function handleMissingList(
    list: ListSnapshot["list"],
    stillWatched: DueExecution[],
    askedAt: number,
  ): Promise<void> {
    if (list.type !== "throttled" && list.type !== "unauthorized") failures++;
    silentUntil = retryAt(list);
    plan(silentUntil);
    const listable = stillWatched.filter((due) => !isSearched(due));
    const records = new Set(failures >= MIN_FAILURES ? audit.withoutList(listable) : []);
    // Record the silence for missing executions only: it must not count towards their grace. The others wait.
    const missing = stillWatched.filter(
      (due) => records.has(due) || isSearched(due) || due.execution.unseenMs > 0,
    );
    await handOver(missing, { list, isRead: true, rows: new Map(), askedAt, records, failures });
  }

  function findChanged(polled: DueExecution[], listSnapshot: ListSnapshot): DueExecution[] {
    const unchangedUntil = comparison();
    const at = now();
    pauseUntil = at + Math.min(listSnapshot.rows.size * PAUSE_PER_ROW_MS, context.rules.pollMaxMs);
    const changed: DueExecution[] = [];
    for (const due of polled) {
      const word = wordOf(due, listSnapshot);
      const checkAt = word === null ? null : unchangedUntil(due, word);
      if (checkAt === null || checkAt - at > leaseMs) changed.push(due);
      else plan(Math.max(checkAt, pauseUntil));
    }
    context.report.unchanged({ executions: polled.length - changed.length });
    return changed;
  }

  /** One snapshot per status word: thousands of rows share a few words. */
  function comparison() {
    const inputOf = transitionInputs();
    const snapshots = new Map<string, Snapshot>();
    return (due: DueExecution, word: string): number | null => {
      const snapshot = snapshots.get(word) ?? snapshotOfWord(word);
      snapshots.set(word, snapshot);
      return nextCheckIfUnchanged(due.execution, due, snapshot, inputOf(due));
    };
  }

  function transitionInputs() {
    const input = { now: now(), rules: { ...context.rules, callbacks: context.health.mode(now()) } };
    const withoutCallbacks = { ...input, rules: { ...context.rules, callbacks: "absent" as const } };
    return ({ kind }: DueExecution) => (takesCallback(kind) ? input : withoutCallbacks);
  }

  async function handOver(changed: DueExecution[], listSnapshot: ListSnapshot): Promise<void> {
    for (let from = 0; from < changed.length; from += batch) {
      // Meanwhile a callback may have come or a lease ended: an execution that was claimed anew is not ours.
      const part = changed.slice(from, from + batch).filter(isStillWatched);
      for (const { execution } of part) watched.delete(execution.id);
      await onChanged(part, listSnapshot);
    }
  }

  function isStillWatched(due: DueExecution): boolean {
    return watched.get(due.execution.id) === due;
  }

  return {
    watch(claimed) {
      const checkAt = Math.max(now(), pausedBySilenceUntil());
      for (const due of claimed) add(due, checkAt);
    },
    keep(recorded) {
      const inputOf = transitionInputs();
      for (const due of recorded) {
        const { now: at, rules } = inputOf(due);
        const checkAt = nextCheckAt(due.execution, due.timeoutS, at, rules);
        add(due, Math.max(checkAt, pauseUntil, pausedBySilenceUntil()));
      }
    },
    forget(claimed) {
      for (const { execution } of claimed) watched.delete(execution.id);
    },
    leave() {
      const left = [...watched.values()];
      watched.clear();
      dueAt = Number.POSITIVE_INFINITY;
      return left;
    },
    dueAt: () => (polling === null ? dueAt : Number.POSITIVE_INFINITY),
    poll() {
      polling ??= pollOnce()
        .catch((error) => {
          plan(retryAt(FAULTY));
          context.report.fault("reconcile", error);
        })
        .finally(() => {
          polling = null;
          onPolled();
        });
    },
    idle: async () => void (await polling),
  };
}

/** The longer the list, the longer the pause: 20 s after 10,000 rows. Newly claimed executions do not wait for it. */
const PAUSE_PER_ROW_MS = 2;

const MIN_FAILURES = 2;

const NO_ROWS: ReadOutcome<ListedRow[]> = { type: "ok", value: [] };
const FAULTY = { type: "unreachable", detail: "the list could not be processed" } as const;
