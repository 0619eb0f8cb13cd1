// What Lyceum and the callers saw, held against the books: starts, doubts, acknowledgements, limits.
import type { Agenda } from "./agenda.ts";
import type { Books, Snapshot } from "./books.ts";
import { demand } from "./invariants.ts";
import type { Lyceum, Work } from "./lyceum.ts";

interface JudgeOptions {
  books: Books;
  agenda: Agenda;
  lyceum: Lyceum;
  inDoubtAfterMs: number;
  submitLimit: { max: number; windowMs: number } | null;
}

const SECOND = 1_000;
/** What a look-up in flight may not have seen yet: the longest way there and back, for two calls. */
const IN_FLIGHT_MS = 90 * SECOND;
/** More reads of one execution in a minute are a loop gone wild. */
const MOST_READS_A_MINUTE = 75;

export type Judge = ReturnType<typeof createJudge>;

export function createJudge({ books, agenda, lyceum, inDoubtAfterMs, submitLimit }: JudgeOptions) {
  const now = () => agenda.monotonic();
  const sent = new Set<string>();
  /** HTTP status of Lyceum's verdict on a start. */
  const verdicts = new Map<string, number>();
  const startsJudgedAt: number[] = [];
  const underWay = new Set<string>();
  const reads = new Map<string, number[]>();
  /** Since when nobody could say whether Lyceum has it. */
  const unsureSince = new Map<string, number>();
  const lost = new Set<string>();
  const acknowledgedJobs = new Map<string, string>();
  const acknowledgedCallbacks = new Map<string, number>();
  /** Executions that a run had when its cancellation was acknowledged: no others may follow. */
  const cancelled = new Map<string, Set<string>>();
  const cancelledAt = new Map<string, number>();
  const silences: { from: number; to: number }[] = [];
  let silentFrom: number | null = null;
  let hasJumped = false;

  function start(marker: string, arrives: boolean): void {
    const execution = books.execution(marker);
    demand(execution !== null, () => `${marker} is started without standing in the books`);
    demand(!sent.has(marker), () => `${marker} is started twice`);
    sent.add(marker);
    if (arrives) underWay.add(marker);
    const known = cancelled.get(execution?.run_id ?? "");
    demand(known?.has(marker) ?? true, () => `${marker} is started after its run was cancelled`);
  }

  function taken(work: Work): void {
    const runId = books.execution(work.marker)?.run_id;
    for (const other of lyceum.works) {
      if (other === work || !lyceum.isLive(other)) continue;
      const entry = books.execution(other.marker);
      const isDouble = entry !== null && entry.run_id === runId && entry.status !== "lost";
      demand(!isDouble, () => `${runId} runs twice at Lyceum: ${other.id} and ${work.id}`);
    }
  }

  function judged(marker: string, status: number): void {
    verdicts.set(marker, status);
    if (underWay.delete(marker)) startsJudgedAt.push(now());
    if (submitLimit === null || hasJumped) return;
    const recent = startsJudgedAt.filter((at) => at > now() - submitLimit.windowMs);
    demand(recent.length <= submitLimit.max, () => `${recent.length} starts within the limit's window`);
  }

  function call(path: string): void {
    const id = /^\/execution\/(L\d+)$/.exec(path)?.[1];
    if (id === undefined) return;
    const recent = (reads.get(id) ?? []).filter((at) => at > now() - 60 * SECOND);
    reads.set(id, [...recent, now()]);
    demand(recent.length < MOST_READS_A_MINUTE, () => `${id} is read without pause`);
  }

  /** Time within [from, now] in which Lyceum could answer and the process could ask. */
  function answeredMs(from: number): { ms: number; gaps: number } {
    const all = silentFrom === null ? silences : [...silences, { from: silentFrom, to: now() }];
    const within = all.filter((one) => one.to > from);
    const silentMs = within.reduce((sum, one) => sum + one.to - Math.max(one.from, from), 0);
    return { ms: now() - from - silentMs, gaps: within.length };
  }

  /** A run is given up as lost only if Lyceum answered for the whole grace, and hid it. */
  function checkLost(id: string): void {
    const since = unsureSince.get(id) ?? 0;
    const { ms, gaps } = answeredMs(since);
    const leastMs = inDoubtAfterMs - (gaps + 1) * 30 * SECOND;
    demand(ms >= leastMs, () => `${id} is given up after ${Math.round(ms / SECOND)} s of answers`);
    const work = lyceum.works.find((one) => one.marker === id);
    if (work === undefined) return;
    const wasFindable = lyceum.isFindable(work, now() - IN_FLIGHT_MS) && lyceum.isFindable(work, now());
    demand(!wasFindable, () => `${id} is given up although Lyceum shows it as ${work.id}`);
  }

  /** How long a start still travels without its sender nobody can know: it counts from now. */
  function died(): void {
    for (let left = underWay.size; left > 0; left--) startsJudgedAt.push(now());
    underWay.clear();
  }

  return {
    start,
    died,
    taken,
    judged,
    call,
    verdicts,
    cancelledAt,
    acknowledgeJob(id: string, name: string): void {
      const known = [...acknowledgedJobs].find(([, other]) => other === name)?.[0] ?? id;
      demand(known === id, () => `${name} was answered as ${known} and as ${id}`);
      acknowledgedJobs.set(id, name);
    },
    acknowledgeCallback(marker: string): void {
      acknowledgedCallbacks.set(marker, (acknowledgedCallbacks.get(marker) ?? 0) + 1);
    },
    acknowledgeCancel(runId: string): void {
      const known = books.executions().filter((execution) => execution.run_id === runId);
      cancelledAt.set(runId, cancelledAt.get(runId) ?? now());
      cancelled.set(runId, cancelled.get(runId) ?? new Set(known.map(({ id }) => id)));
    },
    /** Begins when Lyceum or the process falls silent, ends when both can speak again. */
    silence(isSilent: boolean): void {
      if (isSilent) silentFrom ??= now();
      else if (silentFrom !== null) {
        silences.push({ from: silentFrom, to: now() });
        silentFrom = null;
      }
    },
    jumped(): void {
      hasJumped = true;
      silences.push({ from: now(), to: now() });
    },
    check({ jobs, executions }: Snapshot): void {
      const names = new Map(jobs.map((job) => [job.id, job.name]));
      for (const [id, name] of acknowledgedJobs) {
        demand(names.get(id) === name, () => `job ${id} was acknowledged and is gone`);
      }
      demand(new Set(names.values()).size === names.size, () => "one submission made two jobs");
      for (const [marker, count] of acknowledgedCallbacks) {
        const kept = executions.some(({ id }) => id === marker) ? books.callbacksOf(marker) : count;
        demand(kept >= Math.min(count, 32), () => `of ${count} callbacks for ${marker} ${kept} are kept`);
      }
      for (const { id, status, phase, in_doubt_at } of executions) {
        const isUnsure = phase === "watching" || (phase === "submitting" && in_doubt_at !== null);
        const key = phase === "watching" ? `${id} watched` : id;
        if (isUnsure && !unsureSince.has(key)) {
          unsureSince.set(key, now());
          unsureSince.set(id, now());
        }
        if (status === "lost" && !lost.has(id)) {
          lost.add(id);
          checkLost(id);
        }
      }
    },
  };
}
