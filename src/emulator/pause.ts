// Waiting without holding the process open, and without a timer when there is nothing to wait for.
import { type Execution, isOver } from "./execution.ts";

/** Waiting as an input, so that a test may run hours in no time. */
export interface Timers {
  /** Calls `fn` once after `ms` milliseconds, unless the returned function is called before. */
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

/** A pause in the life of an execution, which its end cuts short: a long one must not keep a slot. */
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
  /** Waits for one of the slots; the answer gives it back. */
  take(): Promise<() => void>;
}

/** At most `count` holders at once, first come, first served. */
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
