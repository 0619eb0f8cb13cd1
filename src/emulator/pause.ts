// Waiting without holding the process open, and without a timer when there is nothing to wait for.
import { type Execution, isOver } from "./execution.ts";

export function pause(ms: number): Promise<void> | undefined {
  if (ms <= 0) return undefined;
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

/** A pause in the life of an execution, which its end cuts short: a long one must not keep a slot. */
export function pauseIn(execution: Execution, ms: number): Promise<void> | undefined {
  if (ms <= 0 || isOver(execution)) return undefined;
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      delete execution.kill;
      resolve();
    };
    const timer = setTimeout(done, ms).unref();
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
