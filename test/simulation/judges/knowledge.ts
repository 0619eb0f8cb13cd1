// From Lyceum's end to our knowledge: within the longest interval between two looks and the grace for a callback,
// not counting what kept the service from asking or from being told.
import type { Agenda } from "../agenda.ts";
import type { ExecutionEntry } from "../books.ts";
import { demand } from "../invariants.ts";
import type { Lyceum } from "../lyceum.ts";
import type { Heard } from "../network.ts";
import type { Work } from "../work.ts";
import { pauseOf } from "./pauses.ts";
import type { Silences, Span } from "./silences.ts";

interface KnowledgeOptions {
  agenda: Agenda;
  lyceum: Lyceum;
  silences: Silences[];
  pollMaxMs: number;
  callbackGraceMs: number;
  /** The longest time that commits may take. */
  slackMs: number;
}

/** `id` null: it kept every execution from being known. */
type Excuse = Span & { id: string | null };

const SECOND = 1_000;
/** The way of a list and a record, there and back. */
const LATENCY_MS = 10 * SECOND;
const SLOW_MS = 1 * SECOND;
/** After two lists that cannot be read the records are asked. */
const LISTS_IN_A_ROW = 2;
const SILENCES_IN_A_ROW = 5;

export function createKnowledge(options: KnowledgeOptions) {
  const { agenda, lyceum, silences, pollMaxMs, callbackGraceMs, slackMs } = options;
  const now = () => agenda.monotonic();
  const excuses: Excuse[] = [];
  const watchedSince = new Map<string, number>();
  const watchedAs = new Map<string, string | null>();
  const known = new Set<string>();
  let badLists = 0;
  let unanswered = 0;
  let setBackUntil = 0;
  const excuse = (from: number, to: number, id: string | null) => void excuses.push({ from, to, id });

  function heard({ call, sentAt, answer }: Heard): void {
    unanswered = answer === null ? unanswered + 1 : 0;
    if (unanswered >= SILENCES_IN_A_ROW) excuse(sentAt, now() + pollMaxMs, null);
    // Everything but starts and the history shares one limit.
    const isRead = call.route !== "start" && call.route !== "history";
    if (answer !== null && isRead) excuse(sentAt, now() + pauseOf(answer), null);
    const isGood = answer?.status === 200 && answer.isTrue;
    const again = isGood ? 0 : pollMaxMs;
    if (["record", "status", "selection"].includes(call.route)) {
      if (!isGood || isSlow(sentAt)) excuse(sentAt, now() + again, call.id);
    }
    if (call.route !== "list") return;
    badLists = isGood ? 0 : badLists + 1;
    if (!isGood || isSlow(sentAt)) excuse(sentAt, now() + (badLists <= LISTS_IN_A_ROW ? again : 0), null);
    for (const id of answer?.stale ?? []) excuseStale(sentAt, id);
  }

  /** A list that overlooks an end is believed until the execution must be over; then its record is read. */
  function excuseStale(from: number, id: string): void {
    const work = lyceum.works.find((one) => one.id === id);
    const dueAt = work === undefined ? 0 : work.startsAt + work.timeoutMs + callbackGraceMs;
    excuse(from, Math.min(now() + pollMaxMs, dueAt), id);
  }

  function isSlow(sentAt: number): boolean {
    return now() - sentAt > SLOW_MS;
  }

  function check(work: Work, execution: ExecutionEntry): void {
    const since = watchedSince.get(execution.id);
    if (since === undefined || work.isEndless || work.id !== execution.lyceum_execution_id) return;
    const from = Math.max(work.recordAt, work.visibleAt, since);
    const kept = [
      ...silences
        .flatMap((some) => some.within(from - pollMaxMs, now()))
        .map((silence) => ({ from: silence.from, to: silence.to + pollMaxMs })),
      ...excuses.filter(({ id }) => id === null || id === work.id),
    ];
    const ms = now() - from - coveredMs(kept, from, now());
    const mostMs = pollMaxMs + callbackGraceMs + LATENCY_MS + slackMs;
    demand(ms <= mostMs, () => {
      return `${work.id} had ended for ${Math.round(ms / SECOND)} s before it was known, ${mostMs / SECOND} s may be`;
    });
  }

  return {
    heard,
    /** Wake-ups are wall-clock times: each set-back of the clock delays them further. */
    jumped(ms: number): void {
      const setBackMs = Math.max(-ms, 0);
      setBackUntil = Math.max(setBackUntil, now()) + setBackMs;
      for (const one of excuses) if (one.to > now()) one.to += setBackMs;
      excuse(now(), setBackUntil + pollMaxMs, null);
    },
    check(executions: ExecutionEntry[]): void {
      for (const execution of executions) {
        const { id, phase } = execution;
        if (phase === "submitting" || known.has(id)) continue;
        if (phase === "watching") {
          // An execution that was searched for and found under another id is watched from then on.
          if (watchedAs.get(id) !== execution.lyceum_execution_id) watchedSince.set(id, now());
          watchedAs.set(id, execution.lyceum_execution_id);
          continue;
        }
        known.add(id);
        const work = lyceum.works.find(({ marker }) => marker === id);
        if (work !== undefined && phase !== "orphan") check(work, execution);
      }
    },
  };
}

function coveredMs(spans: Span[], from: number, to: number): number {
  let covered = 0;
  let until = from;
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const end = Math.min(span.to, to);
    covered += Math.max(0, end - Math.max(span.from, until));
    until = Math.max(until, end);
  }
  return covered;
}
