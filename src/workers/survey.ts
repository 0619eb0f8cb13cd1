// Survey: one list answers for all executions of which nothing but their end is expected. As long as it shows nothing
// new of them they stay claimed, and nothing is written. If nobody looks any more, because the process died, their
// leases end and they are due again.
import type { Reading } from "../domain/execution.ts";
import { nextLookAt } from "../domain/machine/watching.ts";
import { takesCallback } from "../domain/spec.ts";
import type { LyceumClient } from "../lyceum/client.ts";
import type { ReadOutcome } from "../lyceum/outcome.ts";
import type { ListedRow } from "../lyceum/reading.ts";
import type { Context } from "../orchestration/context.ts";
import type { Due } from "../store/due.ts";
import { lyceumIdOf, readingOfWord } from "./reading.ts";

/** What a list showed, by Lyceum's ids; or why it did not. */
export interface Sight {
  list: ReadOutcome<unknown>;
  rows: Map<string, ListedRow>;
  askedAt: number;
}

export interface SurveyOptions {
  lyceum: LyceumClient;
  now: () => number;
  /** How long a claim lasts: what is to be left alone for longer is given back. */
  leaseMs: number;
  /** Executions followed up together. */
  batch: number;
  /** When to ask again after no answer. */
  retryAt(answer: ReadOutcome<unknown>): number;
  /** Of these there is something to note: they leave the survey. Resolves when there is room for further ones. */
  onNews(due: Due[], sight: Sight): Promise<void>;
  /** A list was read, so that `dueAt` says when the next one is. */
  onRead(): void;
}

export interface Survey {
  /** Takes over what was just claimed: it is looked at with the next list, which is due now. */
  watch(claimed: Due[]): void;
  /** Takes back what was told of as news, and is noted and still claimed: the next list may take its time. */
  keep(noted: Due[]): void;
  /** These were claimed anew. */
  forget(claimed: Due[]): void;
  /** When the next list is to be read. */
  dueAt(): number;
  /** Reads the list, unless that is under way. */
  look(): void;
  idle(): Promise<void>;
}

export function createSurvey(context: Context, options: SurveyOptions): Survey {
  const { lyceum, now, leaseMs, batch, retryAt, onNews, onRead } = options;
  const watched = new Map<string, Due>();
  let dueAt = Number.POSITIVE_INFINITY;
  let restUntil = 0;
  let reading: Promise<void> | null = null;

  const plan = (at: number) => {
    dueAt = Math.min(dueAt, at);
  };
  const add = (due: Due[], lookAt: number) => {
    for (const one of due) watched.set(one.execution.id, one);
    if (due.length > 0) plan(lookAt);
  };

  async function read(): Promise<void> {
    const asked = [...watched.values()];
    dueAt = Number.POSITIVE_INFINITY;
    if (asked.length === 0) return;
    const askedAt = now();
    const list = await ask(asked);
    const still = asked.filter(isStillWatched);
    const rows = new Map<string, ListedRow>();
    if (list.outcome !== "ok") {
      plan(retryAt(list));
      // The silence is noted of those that are missed, as it does not count towards their grace. The others wait.
      const missed = still.filter((one) => isSought(one) || one.execution.unseenMs > 0);
      return tell(missed, { list, rows, askedAt });
    }
    for (const row of list.value) rows.set(row.executionId, row);
    await tell(findNews(still, rows), { list, rows, askedAt });
  }

  /** One that is alone is not looked for in the list: its own record says more. */
  async function ask(asked: Due[]): Promise<ReadOutcome<ListedRow[]>> {
    const isSearch = asked.some(isSought);
    if (asked.length === 1 && !isSearch) return { outcome: "ok", value: [] };
    return lyceum.workloads(isSearch ? "overdue" : "routine");
  }

  function findNews(asked: Due[], rows: Map<string, ListedRow>): Due[] {
    const unchangedUntil = comparison();
    const at = now();
    restUntil = at + Math.min(rows.size * REST_PER_ROW_MS, context.rules.pollMaxMs);
    const news: Due[] = [];
    for (const one of asked) {
      const row = isSought(one) ? undefined : rows.get(lyceumIdOf(one.execution));
      const lookAt = row === undefined ? null : unchangedUntil(one, row);
      if (lookAt === null || lookAt - at > leaseMs) news.push(one);
      else plan(Math.max(lookAt, restUntil));
    }
    context.report.unchanged({ executions: asked.length - news.length });
    return news;
  }

  /** Readings are made once for each word: thousands of rows have few. */
  function comparison() {
    const moment = { now: now(), rules: { ...context.rules, callbacks: context.health.mode(now()) } };
    const uncalled = { ...moment, rules: { ...context.rules, callbacks: "absent" as const } };
    const readings = new Map<string, Reading>();
    return (one: Due, { word }: ListedRow): number | null => {
      const reading = readings.get(word) ?? readingOfWord(word);
      readings.set(word, reading);
      return nextLookAt(one.execution, one, reading, takesCallback(one.kind) ? moment : uncalled);
    };
  }

  async function tell(news: Due[], sight: Sight): Promise<void> {
    for (let from = 0; from < news.length; from += batch) {
      // While others were followed up, a callback may have come, or the lease ended: claimed anew, it is not ours.
      const some = news.slice(from, from + batch).filter(isStillWatched);
      for (const { execution } of some) watched.delete(execution.id);
      await onNews(some, sight);
    }
  }

  function isStillWatched(one: Due): boolean {
    return watched.get(one.execution.id) === one;
  }

  return {
    watch: (claimed) => add(claimed, now()),
    keep: (noted) => add(noted, Math.max(now() + context.rules.pollMinMs, restUntil)),
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

/** In doubt, or lost: looked for by its marker. */
export function isSought({ execution }: Due): boolean {
  return execution.phase !== "watching";
}

const UNREADABLE = { outcome: "unreachable", detail: "the list could not be worked on" } as const;
