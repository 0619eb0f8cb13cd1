// The one timer of a worker: runs it when due or woken, never twice at once, and stops it in an orderly way.
import type { Clock, Timers } from "../lib/clock.ts";
import { keepSubject } from "../lib/subject.ts";
import type { Topic } from "../store/db/transaction.ts";

/** Every background service has this shape. */
export interface Worker {
  name:
    | Topic
    | "retention"
    | "queue-stats"
    | "state-metrics"
    | "machine-types"
    | "presence"
    | "restored"
    | "backups";
  /** Returns when to come back (epoch ms), or null: when woken. */
  runOnce(): Promise<number | null>;
  /** Resolves when all begun work has ended. */
  idle(): Promise<void>;
  /** Releases claims, and saves what only this process knows. */
  release?(): Promise<void>;
}

export interface Loop {
  start(): void;
  /** Work is due at this time. */
  wake(dueAt: number): void;
  /** Resolves when the current round has finished. */
  stop(): Promise<void>;
}

export interface LoopOptions {
  clock: Clock;
  timers: Timers;
  /** By a bug, or because the database is unavailable. The round is tried again. */
  onError(worker: string, error: unknown): void;
  maxSleepMs?: number | undefined;
}

/** The longest sleep by default: another process may have written without waking us. */
const MAX_SLEEP_MS = 30_000;
const AFTER_ERROR_MS = 1_000;

export function createLoop(
  worker: Worker,
  { clock, timers, onError, maxSleepMs = MAX_SLEEP_MS }: LoopOptions,
): Loop {
  let running: Promise<void> | null = null;
  let stopped = true;
  let plannedAt = Number.POSITIVE_INFINITY;
  let wokenFor = Number.POSITIVE_INFINITY;
  let cancelTimer = () => {};
  // A wake-up comes from work for some execution; the round is for all.
  const detached = keepSubject();

  function plan(dueAt: number): void {
    plannedAt = dueAt;
    cancelTimer();
    const delayMs = Math.max(0, Math.min(dueAt - clock.now(), maxSleepMs));
    cancelTimer = timers.after(delayMs, () => detached(round));
  }

  function round(): void {
    plannedAt = Number.POSITIVE_INFINITY;
    if (stopped || running !== null) return;
    running = work().then((next) => {
      // In one step with `plan`: a wake-up either counts here or makes a plan of its own.
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
