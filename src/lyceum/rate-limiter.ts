// The rate limiter of all calls to Lyceum. A call never waits for a limit: it is deferred, with the time to wait.
import PQueue from "p-queue";
import type { Clock } from "../lib/clock.ts";
import { createBucketPauses } from "./bucket-pauses.ts";
import { type BreakerOptions, createBreaker } from "./circuit-breaker.ts";
import type { AnswerHeaders } from "./http-exchange.ts";
import {
  type Bucket,
  CANCEL_CONCURRENCY,
  documentedLimits,
  isBlockedByBreaker,
  type Priority,
  perBucket,
  priorities,
  usualConcurrency,
} from "./priorities.ts";
import { type LimitNotice, readLimits } from "./rate-limit-headers.ts";
import type { SharedPlaces } from "./shared-places.ts";
import { createWindow, type Limit, type Slot } from "./sliding-window.ts";

const CROWDED_MS = 1_000;

export interface Reservation {
  granted: true;
  release(): void;
}

export type Deferred = { deferred: "throttled" | "unreachable"; waitMs: number };
export type Passed<T> = { deferred: null; value: T };

/** Without a report nothing is known. */
export interface CallReport {
  /** Any HTTP answer. Returns the bucket's pause in ms: above 0 only on 429. */
  answered(status: number, headers: AnswerHeaders): number;
  /** No answer: counts towards the breaker. */
  unanswered(): void;
  unsent(): void;
}

export interface RateLimiterOptions {
  clock: Clock;
  random: () => number;
  /** Overrides of the documented limits; null: no limit. Headers of Lyceum's answers overrule both. */
  limits?: Partial<Record<Bucket, Limit | null>>;
  concurrency?: Partial<Record<Bucket, number>>;
  breaker?: BreakerOptions;
  /** For the buckets without a limit of their own here. */
  places?: SharedPlaces | null;
  /** The number of processes that share the reads which Lyceum's headers leave. */
  instances?: () => number;
  /** Calls that may wait in the queue of a bucket; further calls are deferred. */
  maxWaiting?: number;
}

export function createRateLimiter({
  clock,
  random,
  maxWaiting = 1_000,
  places = null,
  instances = () => 1,
  ...options
}: RateLimiterOptions) {
  const limits = { ...documentedLimits, ...options.limits };
  const concurrency = { ...usualConcurrency, ...options.concurrency };
  const breaker = createBreaker(
    clock,
    random,
    options.breaker ?? { failures: 5, baseMs: 1_000, maxMs: 60_000 },
  );
  const windows = perBucket((bucket) =>
    createWindow(limits[bucket], bucket === "read" ? instances : () => 1),
  );
  const queues = perBucket((bucket) => new PQueue({ concurrency: concurrency[bucket] }));
  const cancels = new PQueue({ concurrency: CANCEL_CONCURRENCY });
  const pauses = createBucketPauses(clock, random);
  const reserved = perBucket((): Slot[] => []);
  const limitListeners = new Set<(group: Bucket, notice: LimitNotice) => void>();
  /** The last answer told of a limit; another instance's may have before this one began. */
  const hadLimits = perBucket(() => true);

  /** A reservation ends by `release()`, or by a start in the same bucket. Reservations are interchangeable. */
  function reserve(bucket: Bucket): Reservation | { granted: false; waitMs: number } {
    const deferred = deferral("submit", bucket);
    if (deferred) return { granted: false, waitMs: deferred.waitMs };
    reserved[bucket].push(windows[bucket].take());
    let released = false;
    const release = () => {
      const slot = released ? undefined : reserved[bucket].pop();
      released = true;
      if (slot) windows[bucket].giveBack(slot);
    };
    return { granted: true, release };
  }

  /** Throws what `call` throws. */
  async function run<T>(
    priority: Priority,
    bucket: Bucket,
    call: (report: CallReport) => Promise<T>,
  ): Promise<Deferred | Passed<T>> {
    const slot = reserved[bucket].shift();
    const queue = priority === "cancel" ? cancels : queues[bucket];
    const crowded: Deferred | null =
      queue.size < maxWaiting ? null : { deferred: "throttled", waitMs: CROWDED_MS };
    // Checked before and after the queue: a deferred call must not wait in the queue, and limits change meanwhile.
    const deferred = crowded ?? deferral(priority, bucket, slot);
    if (deferred) return release(bucket, slot, deferred);
    return queue.add(
      async () => {
        const late = deferral(priority, bucket, slot);
        return late ? release(bucket, slot, late) : attempt(priority, bucket, slot, call);
      },
      { priority: priorities[priority].priority },
    );
  }

  /** Null if the call may go now. A call with a reserved slot is deferred by pauses alone. */
  function deferral(priority: Priority, bucket: Bucket, slot?: Slot): Deferred | null {
    const now = clock.monotonic();
    const waits = [
      pauses.until(bucket) - now,
      slot ? 0 : windows[bucket].waitMs(now, priorities[priority].keptPercent),
    ];
    const waitMs = Math.ceil(Math.max(...waits));
    if (waitMs > 0) return { deferred: "throttled", waitMs };
    const breakerMs = Math.ceil(isBlockedByBreaker(priority) ? breaker.waitMs() : 0);
    return breakerMs > 0 ? { deferred: "unreachable", waitMs: breakerMs } : null;
  }

  function release(bucket: Bucket, slot: Slot | undefined, deferred: Deferred): Deferred {
    if (slot) windows[bucket].giveBack(slot);
    return deferred;
  }

  async function attempt<T>(
    priority: Priority,
    bucket: Bucket,
    reservedSlot: Slot | undefined,
    call: (report: CallReport) => Promise<T>,
  ): Promise<Deferred | Passed<T>> {
    const slot = reservedSlot ?? windows[bucket].take();
    const taking = places?.take(bucket, priorities[priority].keptPercent) ?? null;
    const place = taking === null ? null : await taking;
    if (place !== null && "waitMs" in place)
      return release(bucket, slot, { deferred: "throttled", waitMs: place.waitMs });
    const endProbe = isBlockedByBreaker(priority) ? breaker.begin() : () => {};
    let sent = true;
    let notice: LimitNotice | null = null;
    const report: CallReport = {
      answered: (status, headers) => {
        notice = readLimits(headers, clock.now());
        return readAnswer(bucket, slot, status, notice);
      },
      unanswered: () => breaker.failed(),
      unsent: () => {
        sent = false;
      },
    };
    try {
      return { deferred: null, value: await call(report) };
    } finally {
      endProbe();
      if (sent) windows[bucket].settle(slot, clock.monotonic());
      else windows[bucket].giveBack(slot);
      await place?.end(sent, notice);
    }
  }

  function readAnswer(bucket: Bucket, slot: Slot, status: number, notice: LimitNotice): number {
    breaker.succeeded();
    windows[bucket].learn(notice, slot, clock.monotonic());
    reportLimits(bucket, notice);
    return pauses.answered(bucket, status, notice);
  }

  /** An answer has limits in its headers, or the answer before had. */
  function onLimits(listener: (bucket: Bucket, notice: LimitNotice) => void): void {
    limitListeners.add(listener);
  }

  function reportLimits(bucket: Bucket, notice: LimitNotice): void {
    const hasLimits = notice.max !== null || notice.remaining !== null;
    if (hasLimits || hadLimits[bucket]) for (const listener of limitListeners) listener(bucket, notice);
    hadLimits[bucket] = hasLimits;
  }

  /** Counts the starts of a former process (epoch ms). Call it before the first call. */
  function restoreStarts(startedAt: number[]): void {
    const wall = clock.now();
    const now = clock.monotonic();
    for (const at of startedAt) windows.execution.remember(now - Math.max(wall - at, 0));
  }

  /** Times are epoch ms. */
  function state() {
    const now = clock.monotonic();
    const wall = (at: number | null) => (at === null ? null : Math.round(clock.now() + at - now));
    const { retryAt, ...circuit } = breaker.snapshot();
    return {
      breaker: { ...circuit, retryAt: wall(retryAt) },
      buckets: perBucket((bucket) => {
        // A reserved slot that is not sent may still come back: counted as used, the figures would flicker.
        const { resetsAt, ...usage } = windows[bucket].snapshot(now, reserved[bucket].length);
        const until = pauses.until(bucket) > now ? pauses.until(bucket) : null;
        const { size: waiting, pending: running } = queues[bucket];
        return {
          ...usage,
          resetsAt: wall(resetsAt),
          pausedUntil: wall(until),
          waiting,
          running,
        };
      }),
    };
  }

  const awayMs = () => Math.ceil(breaker.waitMs());

  /** Further reads will soon be deferred. */
  const isCrowded = () => queues.read.size > maxWaiting / 2;

  /** 0: a call may go now. */
  const deferredMs = (priority: Priority, bucket: Bucket) => deferral(priority, bucket)?.waitMs ?? 0;

  const { onPause, heed } = pauses;
  return { reserve, run, deferredMs, onPause, heed, onLimits, restoreStarts, state, awayMs, isCrowded };
}

export type RateLimiter = ReturnType<typeof createRateLimiter>;
