// Lyceum as the simulation has it: what it took, how that ends, and what it shows of it when. It is the truth that
// the service's books are compared with, and shares no code with the service or its emulator.
import { type Answer, type Call, own } from "./call.ts";
import { type HistoryHabits, historyPage, plainHistory } from "./history.ts";
import type { Random } from "./random.ts";
import { createRecords } from "./records.ts";
import { ENDS, ODD_ENDS, subJobOf, type Work } from "./work.ts";

export interface Lyceum {
  works: Work[];
  habits: Habits;
  answer(call: Call): Answer;
  onTaken(listener: (work: Work) => void): void;
  onEnd(listener: (work: Work) => void): void;
  /** True if a list or the history would show the execution. */
  isFindable(work: Work, at: number): boolean;
  isLive(work: Work): boolean;
}

/** Lyceum's treatment of accepted executions. The weather changes these habits for a while. */
export interface Habits {
  /** The chance that an accepted execution is hidden, and the longest time of hiding. */
  hiding: { chance: number; mostMs: number };
  history: HistoryHabits;
  losesCallbacks: boolean;
  /** Accepted executions end within seconds. */
  isBrief: boolean;
  hasOddWords: boolean;
  forgetsEnds: boolean;
  hasLateTails: boolean;
  hasLateBills: boolean;
  billsInHistory: boolean;
}

const SECOND = 1_000;
const NOT_FOUND = own(404, { detail: "Not found" });

export function createLyceum(random: Random, now: () => number, after: (ms: number, fn: () => void) => void) {
  const works: Work[] = [];
  const taken: ((work: Work) => void)[] = [];
  const ended: ((work: Work) => void)[] = [];
  const traits = random.fork();
  const records = createRecords(random.fork(), now);
  const habits: Habits = {
    hiding: { chance: 0.1, mostMs: 40 * SECOND },
    history: plainHistory,
    losesCallbacks: false,
    isBrief: false,
    hasOddWords: false,
    forgetsEnds: false,
    hasLateTails: false,
    hasLateBills: false,
    billsInHistory: false,
  };
  const isLive = (work: Work) => now() < work.endsAt;

  function start({ path, body, marker }: Call): Answer {
    if (random.chance(0.03)) return own(422, { detail: "this request is not to our liking" });
    const { hiding } = habits;
    const startsAt = now() + random.between(0, (habits.isBrief ? 2 : 20) * SECOND);
    const [word, returnCode] = random.pick(habits.hasOddWords && traits.chance(0.6) ? ODD_ENDS : ENDS);
    const timeoutMs = Number(body?.timeout) * SECOND;
    const lastsMs =
      word === "timeout" ? timeoutMs : random.between(50, habits.isBrief ? 2 * SECOND : timeoutMs - SECOND);
    const isEndless = habits.forgetsEnds && traits.chance(0.3);
    const isSelection = path.includes("gpu_selection");
    const work: Work = {
      id: `L${works.length + 1}`,
      marker,
      isSelection,
      hasSubJob: isSelection && traits.chance(0.5),
      callbackUrl: Array.isArray(body?.user_callback_urls) ? String(body.user_callback_urls[0]) : null,
      takenAt: now(),
      startsAt,
      endsAt: startsAt + lastsMs,
      timeoutMs,
      word,
      returnCode,
      visibleAt: now() + random.between(0, random.chance(hiding.chance) ? hiding.mostMs : 2 * SECOND),
      recordAt: 0,
      historyAt: 0,
      isPrompt: false,
      hasMetrics: random.chance(0.8),
      isEndless,
      tailMs: habits.hasLateTails && !isEndless ? traits.between(10 * SECOND, 40 * SECOND) : 0,
      bill: works.length + 1.25,
      billMs: habits.hasLateBills ? traits.between(SECOND, 12 * SECOND) : 0,
      isBilledInHistory: habits.billsInHistory,
      abortAskedAt: null,
    };
    works.push(work);
    finishAt(work, work.endsAt);
    for (const listener of taken) listener(work);
    return own(200, { execution_id: work.id, status: "pending" });
  }

  function finishAt(work: Work, at: number): void {
    const lag = () => random.between(0, random.chance(0.2) && !work.isPrompt ? 10 * SECOND : 0);
    work.endsAt = at;
    work.recordAt = at + lag();
    work.historyAt = at + lag();
    after(at - now(), () => {
      if (work.endsAt === at) for (const listener of ended) listener(work);
    });
  }

  function end(work: Work, mode: string): Answer {
    if (!isLive(work)) return NOT_FOUND;
    work.abortAskedAt ??= now();
    const at = now() + random.between(0, 5 * SECOND);
    if (at < work.endsAt) {
      work.word = mode === "abort" ? "aborted" : "cancelled";
      work.returnCode = null;
      finishAt(work, at);
    }
    return own(200, { message: "on its way" });
  }

  function read(work: Work, { route }: Call): Answer {
    if (now() < work.visibleAt) return NOT_FOUND;
    if (route === "record") return own(200, records.record(work));
    if (route === "status") return own(200, records.status(work));
    if (route === "selection") return own(200, records.selection(work));
    if (route === "timing") return now() >= work.recordAt ? own(200, { timing: { total: 1.5 } }) : NOT_FOUND;
    return work.hasMetrics ? own(200, records.metrics(work)) : NOT_FOUND;
  }

  const lyceum: Lyceum = {
    works,
    habits,
    isLive,
    isFindable: (work, at) => at >= work.visibleAt && (at < work.endsAt || at >= work.historyAt),
    onTaken: (listener) => void taken.push(listener),
    onEnd: (listener) => void ended.push(listener),
    answer(call) {
      const shown = () => works.filter((work) => now() >= work.visibleAt);
      if (call.route === "start") return start(call);
      if (call.route === "list") {
        const live = shown().filter(isLive);
        return own(200, live.flatMap(records.listRows));
      }
      if (call.route === "history") {
        const over = shown().filter((work) => now() >= work.historyAt && !isLive(work));
        return historyPage(habits.history, over.flatMap(records.historyRows), call.query, now());
      }
      const parent = works.find((work) => work.hasSubJob && subJobOf(work) === call.id);
      if (parent !== undefined && call.route === "record") return own(200, records.subJobRecord(parent));
      const work = works.find(({ id }) => id === call.id);
      if (call.route === "logs") return work ? records.logs(work) : own(200, { logs: [], total: 0 });
      if (work === undefined) return NOT_FOUND;
      if (call.route === "end") return end(work, call.path.split("/")[2] ?? "");
      return read(work, call);
    },
  };
  return lyceum;
}
