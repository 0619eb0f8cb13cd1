// The one gate for all calls to Lyceum: order of lanes, rate limits per group, pauses after 429, the breaker.
// It never waits for a limit: a call that may not go now comes back at once as held, with the time to wait.
import PQueue from "p-queue";
import type { Clock } from "../lib/clock.ts";
import { type BreakerOptions, createBreaker } from "./circuit-breaker.ts";
import type { AnswerHeaders } from "./http-exchange.ts";
import {
  type Bucket,
  buckets,
  CANCEL_CONCURRENCY,
  documentedLimits,
  isHeldByBreaker,
  type Priority,
  priorities,
  usualConcurrency,
} from "./priorities.ts";
import { type LimitNotice, MAX_PAUSE_MS, readLimits } from "./rate-limit-headers.ts";
import { createWindow, type Limit, type Slot } from "./sliding-window.ts";

const MIN_PAUSE_MS = 1_000;
/** Without a time that can be read, pauses grow to this. */
const MAX_GROWN_MS = 60_000;
const CROWDED_MS = 1_000;

export interface Pause {
  group: Bucket;
  /** Epoch ms. */
  until: number;
}

export interface Place {
  granted: true;
  release(): void;
}

export type Deferred = { held: "throttled" | "unreachable"; waitMs: number };
export type Passed<T> = { held: null; value: T };

/** How a call tells the throttle what came of it; not a word means that nothing is known. */
export interface CallReport {
  /** Any HTTP answer. Returns how long the group now pauses: above 0 only on 429. */
  answered(status: number, headers: AnswerHeaders): number;
  /** No answer at all: counts towards the breaker. */
  unanswered(): void;
  /** Nothing was sent: the call's place in the limit is given back. */
  unsent(): void;
}

export interface RateLimiterOptions {
  clock: Clock;
  /** 0 to 1, for jitter. */
  random: () => number;
  /** Overrides of the documented limits; null is no limit. Headers of Lyceum's answers overrule both. */
  limits?: Partial<Record<Bucket, Limit | null>>;
  concurrency?: Partial<Record<Bucket, number>>;
  breaker?: BreakerOptions;
  /** Calls waiting in one group for a place; more are held. */
  maxWaiting?: number;
}

export function createRateLimiter({ clock, random, maxWaiting = 1_000, ...options }: RateLimiterOptions) {
  const limits = { ...documentedLimits, ...options.limits };
  const concurrency = { ...usualConcurrency, ...options.concurrency };
  const breaker = createBreaker(
    clock,
    random,
    options.breaker ?? { failures: 5, baseMs: 1_000, maxMs: 60_000 },
  );
  const perGroup = <T>(make: (group: Bucket) => T) =>
    Object.fromEntries(buckets.map((group) => [group, make(group)])) as Record<Bucket, T>;
  const windows = perGroup((group) => createWindow(limits[group]));
  const queues = perGroup((group) => new PQueue({ concurrency: concurrency[group] }));
  const cancels = new PQueue({ concurrency: CANCEL_CONCURRENCY });
  /** Monotonic. */
  const pausedUntil = perGroup(() => Number.NEGATIVE_INFINITY);
  /** 429s in a row. */
  const refusals = perGroup(() => 0);
  const reserved = perGroup((): Slot[] => []);
  const pauseListeners = new Set<(pause: Pause) => void>();
  const limitListeners = new Set<(group: Bucket, notice: LimitNotice) => void>();
  /** The last answer told of a limit; another instance's may have before this one began. */
  const hasTold = perGroup(() => true);

  /**
   * A place for one start. Every granted place ends in exactly one of two ways: `release()`, or one start (a `run`
   * in the same group), which takes it over. Places are alike, so it does not matter which start takes which.
   */
  function reserve(group: Bucket): Place | { granted: false; waitMs: number } {
    const held = deferral("submit", group);
    if (held) return { granted: false, waitMs: held.waitMs };
    reserved[group].push(windows[group].take());
    let released = false;
    const release = () => {
      const slot = released ? undefined : reserved[group].pop();
      released = true;
      if (slot) windows[group].giveBack(slot);
    };
    return { granted: true, release };
  }

  /** Makes the call as soon as there is a place for it, or holds it. What `call` throws is thrown. */
  async function run<T>(
    lane: Priority,
    group: Bucket,
    call: (report: CallReport) => Promise<T>,
  ): Promise<Deferred | Passed<T>> {
    const slot = reserved[group].shift();
    const queue = lane === "cancel" ? cancels : queues[group];
    const crowded: Deferred | null =
      queue.size < maxWaiting ? null : { held: "throttled", waitMs: CROWDED_MS };
    // Asked twice: what cannot go now must not wait for a place, and much can change while it waits.
    const held = crowded ?? deferral(lane, group, slot);
    if (held) return handBack(group, slot, held);
    return queue.add(
      async () => {
        const late = deferral(lane, group, slot);
        return late ? handBack(group, slot, late) : attempt(lane, group, slot, call);
      },
      { priority: priorities[lane].priority },
    );
  }

  /** Null if a call may go now. A call with a reserved slot only heeds pauses. */
  function deferral(lane: Priority, group: Bucket, slot?: Slot): Deferred | null {
    const now = clock.monotonic();
    const waits = [
      pausedUntil[group] - now,
      slot ? 0 : windows[group].waitMs(now, priorities[lane].keptPercent),
    ];
    const waitMs = Math.ceil(Math.max(...waits));
    if (waitMs > 0) return { held: "throttled", waitMs };
    const breakerMs = Math.ceil(isHeldByBreaker(lane) ? breaker.waitMs() : 0);
    return breakerMs > 0 ? { held: "unreachable", waitMs: breakerMs } : null;
  }

  function handBack(group: Bucket, slot: Slot | undefined, held: Deferred): Deferred {
    if (slot) windows[group].giveBack(slot);
    return held;
  }

  async function attempt<T>(
    lane: Priority,
    group: Bucket,
    reservedSlot: Slot | undefined,
    call: (report: CallReport) => Promise<T>,
  ): Promise<Passed<T>> {
    const slot = reservedSlot ?? windows[group].take();
    const endProbe = isHeldByBreaker(lane) ? breaker.begin() : () => {};
    let sent = true;
    const report: CallReport = {
      answered: (status, headers) => readAnswer(group, status, headers),
      unanswered: () => breaker.failed(),
      unsent: () => {
        sent = false;
      },
    };
    try {
      return { held: null, value: await call(report) };
    } finally {
      endProbe();
      if (sent) windows[group].settle(slot, clock.monotonic());
      else windows[group].giveBack(slot);
    }
  }

  function readAnswer(group: Bucket, status: number, headers: AnswerHeaders): number {
    breaker.succeeded();
    const notice = readLimits(headers, clock.now());
    const now = clock.monotonic();
    windows[group].learn(notice, now);
    tellLimits(group, notice);
    if (status !== 429) {
      refusals[group] = 0;
      return 0;
    }
    // Calls that were under way together tell one story: only the first of them lengthens the pause.
    if (now >= pausedUntil[group]) refusals[group] += 1;
    const grownMs = Math.min(MIN_PAUSE_MS * 2 ** Math.max(refusals[group] - 1, 0), MAX_GROWN_MS);
    const leastMs = Math.max(askedMs(notice) || grownMs, MIN_PAUSE_MS);
    return pause(group, Math.min(leastMs + random() * Math.max(leastMs / 10, MIN_PAUSE_MS), MAX_PAUSE_MS));
  }

  function pause(group: Bucket, ms: number): number {
    const now = clock.monotonic();
    pausedUntil[group] = Math.max(pausedUntil[group], now + ms);
    const leftMs = Math.ceil(pausedUntil[group] - now);
    for (const listener of pauseListeners) listener({ group, until: clock.now() + leftMs });
    return leftMs;
  }

  /** Tells of every pause that begins or grows, so that it can be kept over a restart. Returns how to stop. */
  function onPause(listener: (pause: Pause) => void): () => void {
    pauseListeners.add(listener);
    return () => pauseListeners.delete(listener);
  }

  /** Tells of limits in headers, when an answer has some or the one before had. */
  function onLimits(listener: (group: Bucket, notice: LimitNotice) => void): void {
    limitListeners.add(listener);
  }

  function tellLimits(group: Bucket, notice: LimitNotice): void {
    const tells = notice.max !== null || notice.remaining !== null;
    if (tells || hasTold[group]) for (const listener of limitListeners) listener(group, notice);
    hasTold[group] = tells;
  }

  /** Once, before the first call: what a former process had used up. `startedAt` are its starts (epoch ms). */
  function restore(past: { startedAt: number[]; pauses: Pause[] }): void {
    const wall = clock.now();
    const now = clock.monotonic();
    for (const at of past.startedAt) windows.execution.remember(now - Math.max(wall - at, 0));
    for (const { group, until } of past.pauses) {
      pausedUntil[group] = Math.max(pausedUntil[group], now + Math.min(until - wall, MAX_PAUSE_MS));
    }
  }

  /** For the status page; all times epoch ms. */
  function state() {
    const now = clock.monotonic();
    const wall = (at: number | null) => (at === null ? null : Math.round(clock.now() + at - now));
    const { retryAt, ...circuit } = breaker.snapshot();
    return {
      breaker: { ...circuit, retryAt: wall(retryAt) },
      groups: perGroup((group) => {
        const { resetsAt, ...usage } = windows[group].snapshot(now);
        const until = pausedUntil[group] > now ? pausedUntil[group] : null;
        const { size: waiting, pending: running } = queues[group];
        return { ...usage, resetsAt: wall(resetsAt), pausedUntil: wall(until), waiting, running };
      }),
    };
  }

  /** How long calls are held back because Lyceum gave no answer to the last ones. */
  const awayMs = () => Math.ceil(breaker.waitMs());

  /** So many reads wait for a place that further ones are soon held. */
  const isCrowded = () => queues.read.size > maxWaiting / 2;

  return { reserve, run, onPause, onLimits, restore, state, awayMs, isCrowded };
}

/** `Retry-After` comes first, unless the reset alone can be believed; null if neither can be read. */
function askedMs({ retryAfterMs, resetInMs }: LimitNotice): number | null {
  const isWrong = retryAfterMs === null || retryAfterMs > MAX_PAUSE_MS;
  return isWrong && resetInMs !== null && resetInMs <= MAX_PAUSE_MS ? resetInMs : (retryAfterMs ?? resetInMs);
}

export type RateLimiter = ReturnType<typeof createRateLimiter>;
