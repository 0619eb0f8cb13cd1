// The one timer of a worker: runs it when it is due or woken, never twice at once, and stops it in good order.
import type { Clock, Timers } from "../lib/clock.ts";
import type { Topic } from "../store/db/transaction.ts";

/** Every background service has this shape. */
export interface Worker {
  name: Topic | "retention" | "gauge" | "catalogue" | "presence";
  /** Does what is due and answers when to come back (epoch ms), or null: when woken. */
  runOnce(): Promise<number | null>;
  /** Resolves when nothing that `runOnce` began is still under way. */
  idle(): Promise<void>;
  /** Gives back what is still claimed when nobody will finish it. */
  handBack?(): Promise<void>;
}

export interface Loop {
  start(): void;
  /** There is, or will be, work at this moment. */
  wake(dueAt: number): void;
  /** No further round; resolves when what is under way has finished. */
  stop(): Promise<void>;
}

export interface LoopOptions {
  clock: Clock;
  timers: Timers;
  /** A round that threw is a bug or a database that is away: told, and tried again. */
  onError(worker: string, error: unknown): void;
}

/** However quiet it is, look again after this: another process may have written. */
const MAX_SLEEP_MS = 30_000;
const AFTER_ERROR_MS = 1_000;

export function createLoop(worker: Worker, { clock, timers, onError }: LoopOptions): Loop {
  let running: Promise<void> | null = null;
  let stopped = true;
  let plannedAt = Number.POSITIVE_INFINITY;
  let wokenFor = Number.POSITIVE_INFINITY;
  let cancelTimer = () => {};

  function plan(dueAt: number): void {
    plannedAt = dueAt;
    cancelTimer();
    const delayMs = Math.max(0, Math.min(dueAt - clock.now(), MAX_SLEEP_MS));
    cancelTimer = timers.after(delayMs, round);
  }

  function round(): void {
    plannedAt = Number.POSITIVE_INFINITY;
    if (stopped || running !== null) return;
    running = work().then((next) => {
      // In one step with the plan, so that a wake-up either counts here or makes a plan of its own.
      running = null;
      if (!stopped) plan(Math.min(next, wokenFor));
    });
  }

  async function work(): Promise<number> {
    wokenFor = Number.POSITIVE_INFINITY;
    try {
      return (await worker.runOnce()) ?? Number.POSITIVE_INFINITY;
    } catch (error) {
      onError(worker.name, error);
      return clock.now() + AFTER_ERROR_MS;
    }
  }

  return {
    start() {
      stopped = false;
      plan(clock.now());
    },
    wake(dueAt) {
      wokenFor = Math.min(wokenFor, dueAt);
      if (!stopped && running === null && dueAt < plannedAt) plan(dueAt);
    },
    async stop() {
      stopped = true;
      cancelTimer();
      await running;
      await worker.idle();
    },
  };
}
