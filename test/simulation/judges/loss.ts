// A run is given up only by Lyceum's own word: it does not know the id, and a readable list and a readable history are
// without the run, for all of the grace.
import type { ExecutionEntry } from "../books.ts";
import { demand } from "../invariants.ts";
import type { Lyceum } from "../lyceum.ts";
import type { Heard } from "../network.ts";
import type { Silences } from "./silences.ts";

interface LossOptions {
  lyceum: Lyceum;
  silences: Silences;
  inDoubtAfterMs: number;
  now(): number;
}

const SECOND = 1_000;
/** A look-up in flight may miss changes this recent: two calls there and back, at their slowest. */
const IN_FLIGHT_MS = 90 * SECOND;
/** Two looks further apart prove nothing about the time between them. */
const MAX_GAP_MS = 45 * SECOND;
/** An answer may die with the process before it is written. */
const UNWRITTEN_MS = 60 * SECOND;

export function createLoss({ lyceum, silences, inDoubtAfterMs, now }: LossOptions) {
  /** Since when nobody could say whether Lyceum has it. */
  const unsureSince = new Map<string, number>();
  const lostAt = new Map<string, number>();
  /** Readable lists, and what they name: ids and markers. */
  const lists: { at: number; named: Set<string> }[] = [];
  const histories: number[] = [];
  /** Lyceum's own 404, or a record with the marker of some run, by its ids: to any other run, both say no. */
  const unknown = new Map<string, { at: number; named: Set<string> }[]>();
  /** Starts of which it was told for certain that nothing was taken. */
  const notTaken = new Map<string, number>();

  function heard({ call, answer }: Heard): void {
    if (answer !== null && call.route === "start" && isDenial(answer.status))
      notTaken.set(call.marker, now());
    if (answer === null || !answer.isTrue) return;
    if (call.route === "list" && answer.status === 200)
      lists.push({ at: now(), named: namedByRows(answer.json) });
    if (call.route === "history" && answer.status === 200) histories.push(now());
    if (!["record", "status"].includes(call.route)) return;
    const named = namesIn(answer.json);
    const isMarked = [...named].some(isMarker);
    if (answer.status !== 404 && !isMarked) return;
    unknown.set(call.id, [...(unknown.get(call.id) ?? []), { at: now(), named }]);
  }

  function checkLost({ id, lyceum_execution_id }: ExecutionEntry): void {
    const since = unsureSince.get(id) ?? 0;
    const { ms, gaps } = silences.answeredMs(since);
    const leastMs = inDoubtAfterMs - (gaps + 1) * 30 * SECOND;
    const inSeconds = (time: number) => `${Math.round(time / SECOND)} s`;
    demand(ms >= leastMs, () => `${id} is given up after ${inSeconds(ms)} of answers`);
    const work = lyceum.works.find(({ marker }) => marker === id);
    const isFindable =
      work !== undefined && lyceum.isFindable(work, now() - IN_FLIGHT_MS) && lyceum.isFindable(work, now());
    demand(!isFindable, () => `${id} is given up although Lyceum shows it as ${work?.id}`);
    demand(!notTaken.has(id), () => `${id} is given up although Lyceum said that it was not taken`);
    const absent = lists.filter(({ at, named }) => {
      return at >= since && !named.has(id) && !named.has(lyceum_execution_id ?? id);
    });
    const listedMs = spanOf(absent.map(({ at }) => at));
    demand(listedMs >= leastMs - MAX_GAP_MS, () => `${id} is given up after ${inSeconds(listedMs)} of lists`);
    demand(
      histories.some((at) => at >= since),
      () => `${id} is given up without a look into the history`,
    );
    if (lyceum_execution_id === null || !canBeAsked(lyceum_execution_id)) return;
    const answers = unknown.get(lyceum_execution_id) ?? [];
    const missing = answers.filter(({ at, named }) => at >= since && !named.has(id));
    const missingMs = spanOf(missing.map(({ at }) => at));
    demand(
      missingMs >= leastMs - MAX_GAP_MS,
      () => `${id} is given up after ${inSeconds(missingMs)} of 404s`,
    );
  }

  return {
    heard,
    lostAt,
    died(): void {
      for (const [marker, at] of notTaken) if (at > now() - UNWRITTEN_MS) notTaken.delete(marker);
    },
    check(executions: ExecutionEntry[]): void {
      for (const execution of executions) {
        const { id, status, phase, in_doubt_at } = execution;
        const isUnsure = phase === "watching" || (phase === "submitting" && in_doubt_at !== null);
        const key = phase === "watching" ? `${id} watched` : id;
        if (isUnsure && !unsureSince.has(key)) {
          unsureSince.set(key, now());
          unsureSince.set(id, now());
        }
        if (status === "lost" && !lostAt.has(id)) {
          lostAt.set(id, now());
          checkLost(execution);
        }
      }
    },
  };
}

/** 503, a redirect, or a 4xx, whoever answered: nothing was taken. After a 422 the run is rejected, not lost. */
function isDenial(status: number): boolean {
  return status === 503 || (status >= 300 && status < 500 && status !== 422);
}

/** Some ids that a start was answered with fit into no path. */
function canBeAsked(lyceumId: string): boolean {
  return /^[\w-]+$/.test(lyceumId);
}

/** Time over which answers follow each other closely enough. */
function spanOf(times: number[]): number {
  return times.slice(1).reduce((sum, at, index) => sum + Math.min(at - (times[index] ?? at), MAX_GAP_MS), 0);
}

/** The id of a row with a marker names that marker's execution alone: Lyceum may have told its id to another, too. */
function namedByRows(json: unknown): Set<string> {
  const named = namesIn(json);
  for (const row of JSON.stringify(json).match(/\{[^{}]*\}/g) ?? []) {
    const ofRow = [...namesIn(row)];
    if (ofRow.some(isMarker)) for (const id of ofRow.filter((name) => !isMarker(name))) named.delete(id);
  }
  return named;
}

const isMarker = (name: string) => name.startsWith("exe_");

function namesIn(json: unknown): Set<string> {
  return new Set(JSON.stringify(json).match(/\bL\d+\b|exe_[0-9a-z]{26}/g));
}
