// A clock and timers that stand still until told otherwise; the wall may jump on its own.
import type { Clock, Timers } from "../../src/lib/clock.ts";

export interface FakeTime extends Clock, Timers {
  /** Lets time pass, firing what falls due in its order. */
  pass(ms: number): void;
  jumpWall(ms: number): void;
  /** Timers that have not fired. */
  waiting(): number;
}

export function createFakeTime(startsAt = Date.UTC(2026, 8, 1, 8)): FakeTime {
  let passed = 0;
  let jumped = 0;
  let due: { at: number; fn: () => void }[] = [];
  return {
    now: () => startsAt + passed + jumped,
    monotonic: () => passed,
    after(ms, fn) {
      const timer = { at: passed + ms, fn };
      due.push(timer);
      return () => {
        due = due.filter((other) => other !== timer);
      };
    },
    pass(ms) {
      const until = passed + ms;
      for (;;) {
        const next = due.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        due = due.filter((timer) => timer !== next);
        passed = Math.max(passed, next.at);
        next.fn();
      }
      passed = until;
    },
    jumpWall(ms) {
      jumped += ms;
    },
    waiting: () => due.length,
  };
}
