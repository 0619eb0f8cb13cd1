// The clock of one machine: it may be wrong, and may be set.
import type { Clock } from "../../src/lib/clock.ts";
import type { Agenda } from "./agenda.ts";

export interface HostClock extends Clock {
  jump(ms: number): void;
}

/** @param skewMs by which it is ahead at first */
export function createHostClock(agenda: Agenda, skewMs: number): HostClock {
  let aheadMs = skewMs;
  return {
    now: () => agenda.now() + aheadMs,
    monotonic: () => agenda.monotonic(),
    jump: (ms) => {
      aheadMs += ms;
    },
  };
}
