// This instance's heartbeat on PostgreSQL, and the takeover from dead ones: their claims are due again within 20 s.
import type { Clock } from "../lib/clock.ts";
import type { SharedClock } from "../lib/shared-clock.ts";
import type { Context } from "../orchestration/context.ts";
import { beat, type Instance, leave, listInstances, takeOverSilent } from "../store/instances.ts";
import type { Worker } from "./loop.ts";

export interface Presence extends Worker {
  /** The others have held this instance for alive ever since, so that nobody has given up what it claimed then. */
  isHeldAlive(since: number): boolean;
  list(): Promise<Instance[]>;
  /** Instances alive at the last heartbeat, this one included. */
  count(): number;
  clockAheadMs(): number;
  /** @param isIdle false: work of this instance may still be claimed, and is due at once. */
  leave(isIdle: boolean): Promise<void>;
}

export interface PresenceOptions {
  version: string;
  hostClock: Clock;
  clock: SharedClock;
}

export function createPresence(
  { store, report }: Pick<Context, "store" | "report">,
  { version, hostClock, clock }: PresenceOptions,
): Presence {
  const { db, instance: id } = store;
  const startedAt = clock.now();
  /** By both clocks: a suspended machine stops the monotonic one. */
  let last = { monotonic: Number.NEGATIVE_INFINITY, wall: 0 };
  /** Since then no pause between two heartbeats was long enough to be held for dead. */
  let unbrokenSince = Number.POSITIVE_INFINITY;
  let others = 0;
  let sweepAt = 0;
  let isSkewed = false;

  const isFresh = () =>
    hostClock.monotonic() - last.monotonic < FRESH_MS && Math.abs(hostClock.now() - last.wall) < FRESH_MS;

  async function giveSign(): Promise<void> {
    const askedAt = { monotonic: hostClock.monotonic(), wall: hostClock.now() };
    const wasFresh = isFresh();
    const seen = await beat(db, { id, version, clockOffsetMs: clock.aheadMs() });
    others = seen.others;
    clock.follow(seen.now, askedAt.monotonic, hostClock.monotonic());
    if (!wasFresh || !isFresh()) unbrokenSince = hostClock.monotonic();
    last = askedAt;
    const aheadMs = clock.aheadMs();
    if (Math.abs(aheadMs) > TOLD_SKEW_MS !== isSkewed) report.clockSkewed({ aheadMs, isOver: isSkewed });
    isSkewed = Math.abs(aheadMs) > TOLD_SKEW_MS;
  }

  /** Alone in its database, a SQLite process needs no sign. */
  const alone: Pick<Presence, "runOnce" | "isHeldAlive" | "list" | "leave"> = {
    runOnce: async () => null,
    isHeldAlive: () => true,
    list: async () => [{ id, version, startedAt, beatAt: clock.now(), clockOffsetMs: 0 }],
    leave: async () => {},
  };

  const amongOthers: typeof alone = {
    async runOnce() {
      await giveSign();
      if (hostClock.monotonic() >= sweepAt) {
        const dead = await store.write((tx) => takeOverSilent(tx, SILENT_MS));
        for (const instance of dead) report.instanceLost({ instance });
        sweepAt = hostClock.monotonic() + SWEEP_EVERY_MS;
      }
      return clock.now() + BEAT_EVERY_MS;
    },
    isHeldAlive: (since) => since >= unbrokenSince && isFresh(),
    list: () => listInstances(db),
    leave: (isIdle) => store.write((tx) => leave(tx, id, isIdle)),
  };

  return {
    name: "presence",
    ...(store.kind === "sqlite" ? alone : amongOthers),
    count: () => others + 1,
    clockAheadMs: () => clock.aheadMs(),
    idle: async () => {},
  };
}

const BEAT_EVERY_MS = 2_000;
/** Well below the silence after which others give up what this instance claimed. */
const FRESH_MS = 7_000;
const SILENT_MS = 15_000;
/** With every second sign of life, however late the signs are. Silence and sweep together are below 20 s. */
const SWEEP_EVERY_MS = 3_000;
const TOLD_SKEW_MS = 5_000;
