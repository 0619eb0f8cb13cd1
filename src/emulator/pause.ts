// Pauses that do not keep the process alive, and need no timer for zero milliseconds.
import { type Execution, isOver } from "./execution.ts";

export interface Timers {
  after(ms: number, fn: () => void): () => void;
}

export const systemTimers: Timers = {
  after(ms, fn) {
    const timer = setTimeout(fn, ms).unref();
    return () => clearTimeout(timer);
  },
};

export function pause(timers: Timers, ms: number): Promise<void> | undefined {
  if (ms <= 0) return undefined;
  return new Promise((resolve) => void timers.after(ms, resolve));
}

/** The execution's end cuts the pause short, so that it keeps no slot. */
export function pauseIn(timers: Timers, execution: Execution, ms: number): Promise<void> | undefined {
  if (ms <= 0 || isOver(execution)) return undefined;
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      delete execution.kill;
      resolve();
    };
    const cancel = timers.after(ms, done);
    execution.kill = done;
  });
}

interface Slots {
  take(): Promise<() => void>;
}

/** At most `count` holders at once, in order of arrival. */
export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];
  const give = () => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
  return {
    async take() {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      return give;
    },
  };
}
