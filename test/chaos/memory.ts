// Memory of the instances, as the kernel counts it.
import { readFileSync } from "node:fs";
import type { Fleet } from "./fleet.ts";

/** Returns the memory of the largest instance. */
export function residentMiB({ members }: Fleet): number {
  return Math.max(
    ...members.map(({ service }) => {
      const status = readFileSync(`/proc/${service.pid()}/status`, "utf8");
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024;
    }),
  );
}
