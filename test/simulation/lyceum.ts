// Lyceum as the simulation has it: what it took, how that ends, and what it shows of it when. It is the truth that
// the service's books are compared with, and shares no code with the service or its emulator.
import type { Random } from "./random.ts";

/** One execution at Lyceum. Times are the simulation's monotonic milliseconds. */
export interface Work {
  id: string;
  /** Our execution id, out of `file_name`. */
  marker: string;
  path: string;
  callbackUrl: string | null;
  takenAt: number;
  startsAt: number;
  endsAt: number;
  word: string;
  returnCode: number | null;
  /** Before this nothing shows it. */
  visibleAt: number;
  /** The record says `running` for a while after the end, and the history lags too. */
  recordAt: number;
  historyAt: number;
  hasMetrics: boolean;
  abortAskedAt: number | null;
}

export interface Lyceum {
  works: Work[];
  /** How often Lyceum hides what it took, and for how long at most; 0 when the weather is calm. */
  hiding: { chance: number; mostMs: number };
  answer(method: string, path: string, body: Record<string, unknown> | null): LyceumAnswer;
  onTaken(listener: (work: Work) => void): void;
  onEnd(listener: (work: Work) => void): void;
  /** Whether a list or the history would show it. */
  isFindable(work: Work, at: number): boolean;
  isLive(work: Work): boolean;
}

export interface LyceumAnswer {
  status: number;
  json: unknown;
}

const STARTS = /^\/execution\/(streaming|image|compose|gpu_selection)\/start$/;
const SECOND = 1_000;
/** Lyceum's clock is its own. */
const EPOCH = Date.UTC(2026, 0, 1, 0, 0, 3);

export function createLyceum(random: Random, now: () => number, after: (ms: number, fn: () => void) => void) {
  const works: Work[] = [];
  const taken: ((work: Work) => void)[] = [];
  const ended: ((work: Work) => void)[] = [];
  const hiding = { chance: 0.1, mostMs: 40 * SECOND };
  const isLive = (work: Work) => now() < work.endsAt;
  const iso = (at: number) => new Date(EPOCH + at).toISOString();
  const nothing = { status: 404, json: { detail: "Not found" } };

  function start(path: string, body: Record<string, unknown>): LyceumAnswer {
    const marker = String(body.file_name).slice(0, 30);
    if (random.chance(0.03)) return { status: 422, json: { detail: "this request is not to our liking" } };
    const startsAt = now() + random.between(0, 20 * SECOND);
    const [word, returnCode] = random.pick(ENDS);
    const timeoutMs = Number(body.timeout) * SECOND;
    const lastsMs = word === "timeout" ? timeoutMs : random.between(50, timeoutMs - SECOND);
    const work: Work = {
      id: `L${works.length + 1}`,
      marker,
      path,
      callbackUrl: Array.isArray(body.user_callback_urls) ? String(body.user_callback_urls[0]) : null,
      takenAt: now(),
      startsAt,
      endsAt: startsAt + lastsMs,
      word,
      returnCode,
      visibleAt: now() + random.between(0, random.chance(hiding.chance) ? hiding.mostMs : 2 * SECOND),
      recordAt: 0,
      historyAt: 0,
      hasMetrics: random.chance(0.8),
      abortAskedAt: null,
    };
    works.push(work);
    finishAt(work, work.endsAt);
    for (const listener of taken) listener(work);
    return { status: 200, json: { execution_id: work.id, status: "pending" } };
  }

  function finishAt(work: Work, at: number): void {
    work.endsAt = at;
    work.recordAt = at + random.between(0, random.chance(0.2) ? 10 * SECOND : 0);
    work.historyAt = at + random.between(0, random.chance(0.2) ? 10 * SECOND : 0);
    after(at - now(), () => {
      if (work.endsAt === at) for (const listener of ended) listener(work);
    });
  }

  function end(id: string, mode: string): LyceumAnswer {
    const work = works.find((one) => one.id === id);
    if (work === undefined || !isLive(work)) return nothing;
    work.abortAskedAt ??= now();
    const at = now() + random.between(0, 5 * SECOND);
    if (at < work.endsAt) {
      work.word = mode === "abort" ? "aborted" : "cancelled";
      work.returnCode = null;
      finishAt(work, at);
    }
    return { status: 200, json: { message: "on its way" } };
  }

  function wordOf(work: Work, endKnownAt: number): string {
    if (now() >= endKnownAt) return work.word;
    if (now() >= work.startsAt) return "running";
    return random.pick(["pending", "queued", "starting", "Waiting for docker container", "a new word"]);
  }

  const rowOf = (work: Work, endKnownAt: number) => ({
    execution_id: work.id,
    status: wordOf(work, endKnownAt),
    file_name: work.marker,
    created_at: iso(work.takenAt),
    ...(now() >= work.startsAt ? { start_time: iso(work.startsAt) } : {}),
    ...(now() >= endKnownAt ? { end_time: iso(work.endsAt) } : {}),
  });

  function read(id: string, part: string | undefined): LyceumAnswer {
    const work = works.find((one) => one.id === id);
    if (work === undefined || now() < work.visibleAt) return nothing;
    const isOver = now() >= work.recordAt;
    if (part === "status") return { status: 200, json: { status: wordOf(work, work.recordAt) } };
    if (part === "timing") return isOver ? { status: 200, json: { timing: { total: 1.5 } } } : nothing;
    if (part === "metrics") return work.hasMetrics ? { status: 200, json: { hostname: "node-1" } } : nothing;
    const output = isOver ? { stdout: printedBy(work), return_code: work.returnCode } : {};
    // Every other record tells all that a log can be judged by.
    if (isOver && works.indexOf(work) % 2 === 0)
      Object.assign(output, { stderr: "", finish_time: iso(work.recordAt) });
    return { status: 200, json: { ...rowOf(work, work.recordAt), ...output } };
  }

  function logs(id: string): LyceumAnswer {
    const work = works.find((one) => one.id === id);
    if (work === undefined) return { status: 200, json: { logs: [], total: 0 } };
    // Logs arrive late, one line after the other.
    const lines = Math.max(0, Math.min(PRINTED, Math.floor((now() - work.startsAt) / (4 * SECOND))));
    const entries = Array.from({ length: lines }, (_, line) => {
      return { timestamp: iso(work.startsAt + line), message: printedLine(work, line) };
    });
    return { status: 200, json: { logs: entries, total: lines } };
  }

  const lyceum: Lyceum = {
    works,
    hiding,
    isLive,
    isFindable: (work, at) => at >= work.visibleAt && (at < work.endsAt || at >= work.historyAt),
    onTaken: (listener) => void taken.push(listener),
    onEnd: (listener) => void ended.push(listener),
    answer(method, path, body) {
      if (STARTS.test(path)) return start(path, body ?? {});
      const [, area = "", first = "", second = "", third] = path.split("/");
      if (area === "workloads" && method === "POST") return end(second, first);
      if (area === "logs") return logs(second);
      const shown = works.filter((work) => now() >= work.visibleAt);
      if (area === "workloads") {
        return { status: 200, json: shown.filter(isLive).map((work) => rowOf(work, work.recordAt)) };
      }
      if (area === "billing") {
        const rows = shown.filter((work) => now() >= work.historyAt && !isLive(work));
        return { status: 200, json: { executions: rows.map((work) => rowOf(work, work.endsAt)).reverse() } };
      }
      if (first === "streaming" || first === "gpu_selection") return read(second, third);
      return read(first, second || undefined);
    },
  };
  return lyceum;
}

/** Lines that every execution prints. */
export const PRINTED = 3;
const printedLine = ({ id }: Work, line: number) => `line ${line} out of ${id}`;

export function printedBy(work: Work): string {
  return Array.from({ length: PRINTED }, (_, line) => `${printedLine(work, line)}\n`).join("");
}

const ENDS: [word: string, returnCode: number | null][] = [
  ["completed", 0],
  ["completed", 0],
  ["completed", 0],
  ["failed", 1],
  ["system failure", null],
  ["timeout", null],
];
