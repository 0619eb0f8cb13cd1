// Survey: one list answers for all executions of which nothing but their end is expected. As long as it shows nothing
// new of them they stay claimed, and nothing is written. If nobody looks any more, because the process died, their
// leases end and they are due again.

import type { Snapshot } from "../../domain/execution.ts";
import { takesCallback } from "../../domain/spec.ts";
import { nextCheckAt } from "../../domain/state-machine/schedule.ts";
import { nextCheckIfUnchanged } from "../../domain/state-machine/watching.ts";
import { isPaused } from "../../lib/clock.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import type { ReadOutcome } from "../../lyceum/outcome.ts";
import type { ListedRow } from "../../lyceum/reading.ts";
import type { Context } from "../../orchestration/context.ts";
import type { DueExecution } from "../../store/execution-claims.ts";
import { readingOfWord } from "../collect/record-artifact.ts";
import type { Audit } from "./audit.ts";
import type { KnownIds } from "./known-ids.ts";
import { isSearched, type ListSnapshot, wordOf } from "./list-snapshot.ts";

export interface SurveyOptions {
  lyceum: LyceumClient;
  now: () => number;
  /** How long a claim lasts: what is to be left alone for longer is given back. */
  leaseMs: number;
  /** Executions followed up together. */
  batch: number;
  audit: Audit;
  own: KnownIds;
  /** When to ask again after no answer. */
  retryAt(answer: ReadOutcome<unknown>): number;
  /** Of these there is something to note: they leave the survey. Resolves when there is room for further ones. */
  onChanged(due: DueExecution[], sight: ListSnapshot): Promise<void>;
  /** A list was read, so that `dueAt` says when the next one is. */
  onRead(): void;
}

export interface Survey {
  /** Takes over what was just claimed: it is looked at with the next list, which is due now. */
  watch(claimed: DueExecution[]): void;
  /** Takes back what was told of as news, and is noted and still claimed: the next list may take its time. */
  keep(noted: DueExecution[]): void;
  /** These were claimed anew. */
  forget(claimed: DueExecution[]): void;
  /** When the next list is to be read. */
  dueAt(): number;
  /** Reads the list, unless that is under way. */
  look(): void;
  idle(): Promise<void>;
}

export function createListPoll(context: Context, options: SurveyOptions): Survey {
  const { lyceum, now, leaseMs, batch, audit, own, retryAt, onChanged, onRead } = options;
  const watched = new Map<string, DueExecution>();
  let dueAt = Number.POSITIVE_INFINITY;
  let restUntil = 0;
  let silentUntil = 0;
  /** Lists in a row that could not be had, though Lyceum asks for no pause. */
  let failures = 0;
  let reading: Promise<void> | null = null;

  const plan = (at: number) => {
    dueAt = Math.min(dueAt, at);
  };
  const add = (one: DueExecution, lookAt: number) => {
    watched.set(one.execution.id, one);
    plan(lookAt);
  };

  const restAfterSilence = () => (isPaused(silentUntil, context.rules.pollMaxMs, now()) ? silentUntil : 0);

  async function read(): Promise<void> {
    const asked = [...watched.values()];
    dueAt = Number.POSITIVE_INFINITY;
    if (asked.length === 0) return;
    const askedAt = now();
    const isSearch = asked.some(isSearched);
    // A single execution skips the list: its record tells more.
    const isRead = asked.length > 1 || isSearch;
    const list = isRead ? await lyceum.workloads(isSearch ? "overdue" : "routine") : NO_ROWS;
    const still = asked.filter(isStillWatched);
    if (list.type !== "ok") return doWithout(list, still, askedAt);
    if (isRead) failures = 0;
    const rows = new Map(list.value.map((row) => [row.executionId, row]));
    own.noteListed(still, rows);
    const records = new Set(audit.ofListed(still.filter((one) => !isSearched(one))));
    const sight: ListSnapshot = { list, isRead, rows, askedAt, records, failures };
    await tell(findNews(still, sight), sight);
  }

  /** Where one list after the other cannot be had, single records stand in. */
  async function doWithout(
    list: ListSnapshot["list"],
    watched: DueExecution[],
    askedAt: number,
  ): Promise<void> {
    if (list.type !== "throttled" && list.type !== "unauthorized") failures++;
    silentUntil = retryAt(list);
    plan(silentUntil);
    const isNeeded = failures >= ENOUGH_FAILURES;
    const records = new Set(isNeeded ? audit.withoutList(watched.filter((one) => !isSearched(one))) : []);
    // The silence is noted of those that are missed, as it does not count towards their grace. The others wait.
    const missed = watched.filter((one) => records.has(one) || isSearched(one) || one.execution.unseenMs > 0);
    await tell(missed, { list, isRead: true, rows: new Map(), askedAt, records, failures });
  }

  function findNews(asked: DueExecution[], sight: ListSnapshot): DueExecution[] {
    const unchangedUntil = comparison();
    const at = now();
    restUntil = at + Math.min(sight.rows.size * REST_PER_ROW_MS, context.rules.pollMaxMs);
    const news: DueExecution[] = [];
    for (const one of asked) {
      const word = wordOf(one, sight);
      const lookAt = word === null ? null : unchangedUntil(one, word);
      if (lookAt === null || lookAt - at > leaseMs) news.push(one);
      else plan(Math.max(lookAt, restUntil));
    }
    context.report.unchanged({ executions: asked.length - news.length });
    return news;
  }

  /** Readings are made once for each word: thousands of rows have few. */
  function comparison() {
    const momentOf = moments();
    const readings = new Map<string, Snapshot>();
    return (one: DueExecution, word: string): number | null => {
      const reading = readings.get(word) ?? readingOfWord(word);
      readings.set(word, reading);
      return nextCheckIfUnchanged(one.execution, one, reading, momentOf(one));
    };
  }

  function moments() {
    const moment = { now: now(), rules: { ...context.rules, callbacks: context.health.mode(now()) } };
    const uncalled = { ...moment, rules: { ...context.rules, callbacks: "absent" as const } };
    return ({ kind }: DueExecution) => (takesCallback(kind) ? moment : uncalled);
  }

  async function tell(news: DueExecution[], sight: ListSnapshot): Promise<void> {
    for (let from = 0; from < news.length; from += batch) {
      // While others were followed up, a callback may have come, or the lease ended: claimed anew, it is not ours.
      const some = news.slice(from, from + batch).filter(isStillWatched);
      for (const { execution } of some) watched.delete(execution.id);
      await onChanged(some, sight);
    }
  }

  function isStillWatched(one: DueExecution): boolean {
    return watched.get(one.execution.id) === one;
  }

  return {
    watch(claimed) {
      const lookAt = Math.max(now(), restAfterSilence());
      for (const one of claimed) add(one, lookAt);
    },
    keep(noted) {
      const momentOf = moments();
      for (const one of noted) {
        const { now: at, rules } = momentOf(one);
        const lookAt = nextCheckAt(one.execution, one.timeoutS, at, rules);
        add(one, Math.max(lookAt, restUntil, restAfterSilence()));
      }
    },
    forget(claimed) {
      for (const { execution } of claimed) watched.delete(execution.id);
    },
    dueAt: () => (reading === null ? dueAt : Number.POSITIVE_INFINITY),
    look() {
      reading ??= read()
        .catch((error) => {
          plan(retryAt(UNREADABLE));
          context.report.fault("check", error);
        })
        .finally(() => {
          reading = null;
          onRead();
        });
    },
    idle: async () => void (await reading),
  };
}

/** The longer the list, the less often it is read again: 10,000 rows every 20 s. Who is new in it does not wait. */
const REST_PER_ROW_MS = 2;

/** Lists in a row that must fail before single records are read. */
const ENOUGH_FAILURES = 2;

const NO_ROWS: ReadOutcome<ListedRow[]> = { type: "ok", value: [] };
const UNREADABLE = { type: "unreachable", detail: "the list could not be worked on" } as const;
