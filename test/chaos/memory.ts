// Memory of the instances, as the kernel counts it.
import { readFileSync } from "node:fs";
import type { Fleet } from "./fleet.ts";

export interface MemoryWatch {
  /** Ends the watch and returns the largest instance, MiB, in its first and in its last third. */
  stop(): { earlyMiB: number; lateMiB: number };
}

export function watchMemory(fleet: Fleet): MemoryWatch {
  const samples: number[] = [];
  const timer = setInterval(() => samples.push(largestMiB(fleet)), 1_000);
  return {
    stop() {
      clearInterval(timer);
      samples.push(largestMiB(fleet));
      const third = Math.ceil(samples.length / 3);
      return { earlyMiB: Math.max(...samples.slice(0, third)), lateMiB: Math.max(...samples.slice(-third)) };
    },
  };
}

function largestMiB({ members }: Fleet): number {
  return Math.max(...members.map(({ service }) => residentMiB(service.pid())));
}

/** 0 for a process that is over. */
function residentMiB(pid: number | null): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return 0;
    throw error;
  }
}
