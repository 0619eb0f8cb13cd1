// Samples the memory of a working process, and judges if the process keeps growing.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

const MIB = 1024 * 1024;
/** Samples of the beginning that do not count: caches fill, code is compiled. */
const WARM_UP_SHARE = 0.4;
/** Growth between the halves of the rest that is no leak. */
const ALLOWED = { bytes: 16 * MIB, share: 0.1 };

/** Samples until it is over; answers bytes, oldest first. */
export async function sampleMemory(pid: () => number | null, everyMs: number, isOver: () => boolean) {
  const samples: number[] = [];
  while (!isOver()) {
    await wait(everyMs);
    const id = pid();
    if (id !== null) samples.push(residentBytes(id));
  }
  return samples;
}

export interface Growth {
  /** Medians of the two halves after the warm-up. */
  before: number;
  after: number;
  isFlat: boolean;
}

export function growthOf(samples: readonly number[]): Growth {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
  const middle = Math.floor(warm.length / 2);
  const [before, after] = [median(warm.slice(0, middle)), median(warm.slice(middle))];
  return { before, after, isFlat: after - before <= Math.max(ALLOWED.bytes, before * ALLOWED.share) };
}

export function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(0)} MiB`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function residentBytes(pid: number): number {
  const status = `/proc/${pid}/status`;
  const kibibytes = existsSync(status)
    ? /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(status, "utf8"))?.[1]
    : execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" });
  return Number(kibibytes ?? 0) * 1024;
}
