// Acknowledgements per fsync, and a proof that none was sent before an fsync that began after its request.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { closedLoop } from "../load/loop.ts";
import { alone, type Bench, type Figure, type Scenario, Skipped } from "../measure.ts";
import { type Running, startService } from "../service.ts";
import { type Stage, setStage } from "./callbacks.ts";

export const fsync: Scenario = {
  name: "fsync",
  includes:
    "Callbacks over 50 connections while strace notes every fsync and fdatasync of the service's process, those of " +
    "checkpoints and of what follows a callback included. An answer counts as too early if no fsync both began after " +
    "its request was sent and ended before its answer came.",
  async run(bench) {
    if (!canTrace()) throw new Skipped("strace is not on the PATH, or may not trace here");
    const most = bench.size(40_000, 300);
    const trace = join(bench.directory, "fsync.trace");
    const under = ["strace", ...flags, trace];
    const start = async (options: Parameters<typeof startService>[0]): Promise<Running> =>
      startService({ ...options, under });
    const stage = await setStage(bench, "fsync", most * ATTEMPTS, { start });
    let answers: Span[] | null = null;
    try {
      for (let attempt = 0; answers === null && attempt < ATTEMPTS; attempt++)
        answers = await answersOf(bench, stage, most);
    } finally {
      await stage.stop();
    }
    if (answers === null) throw new Skipped("the wall clock was set while it was measured, again and again");
    return judge(answers, syncsIn(readFileSync(trace, "utf8")));
  },
};

/** Null if the wall clock, which strace uses, was set meanwhile. */
async function answersOf({ progress, seconds }: Bench, stage: Stage, most: number): Promise<Span[] | null> {
  progress("fsyncs under callbacks, 50 connections");
  const answers: Span[] = [];
  const onAnswer = (from: number, to: number) => void answers.push({ from, to });
  const offset = wallClockOffset();
  await closedLoop({ port: stage.ours.port, connections: 50, seconds, next: stage.fresh(most), onAnswer });
  if (Math.abs(wallClockOffset() - offset) > MAX_OFF_MS) return null;
  return answers.map(({ from, to }) => ({ from: from + offset, to: to + offset }));
}

const ATTEMPTS = 3;
const MAX_OFF_MS = 0.2;

const flags = "-D -f --seccomp-bpf -qq -ttt -T -e trace=fsync,fdatasync -o".split(" ");

interface Span {
  from: number;
  to: number;
}

function judge(answers: Span[], all: Span[]): Figure[] {
  const first = Math.min(...answers.map(({ from }) => from));
  const last = Math.max(...answers.map(({ to }) => to));
  const syncs = all.filter(({ from, to }) => from >= first && to <= last);
  // The two clocks agree so far only.
  const widened = answers.map(({ from, to }) => ({ from: from - MAX_OFF_MS, to: to + MAX_OFF_MS }));
  const early = widened.filter((answer) => !isCovered(answer, all)).length;
  return [
    alone([answers.length / Math.max(syncs.length, 1)], {
      name: "acknowledgements per fsync, 50 connections",
      unit: "",
      goal: { atLeast: 30 },
    }),
    alone([early], { name: "acknowledged before an fsync", unit: "", goal: { atMost: 0 } }),
  ];
}

/** @param syncs sorted by their start */
function isCovered({ from, to }: Span, syncs: Span[]): boolean {
  let low = 0;
  let high = syncs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((syncs[middle]?.from ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return (syncs[low]?.to ?? Number.POSITIVE_INFINITY) <= to;
}

/** Lines such as `123 1700000000.123456 fdatasync(20) = 0 <0.000913>`; milliseconds since the epoch. */
function syncsIn(trace: string): Span[] {
  const lines = trace.matchAll(/(\d+\.\d+) (?:fsync|fdatasync)\(.*= 0 <(\d+\.\d+)>/g);
  const spans = [...lines].map(([, at, took]) => {
    const from = Number(at) * 1000;
    return { from, to: from + Number(took) * 1000 };
  });
  return spans.sort((a, b) => a.from - b.from);
}

/** From `performance.now()` to milliseconds since the epoch, as of now. */
function wallClockOffset(): number {
  const from = Date.now();
  let now = from;
  while (now === from) now = Date.now();
  return now - performance.now();
}

/** A container or an old strace may refuse these. */
function canTrace(): boolean {
  try {
    execFileSync("strace", [...flags, "/dev/null", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
