// Virtual time: everything that is to happen stands here, and happens one thing after the other. Between two
// things the event loop comes to rest, so that a run depends on nothing but its seed.
import type { Clock, Timers } from "../../src/lib/clock.ts";
import type { Random } from "./random.ts";

export interface Agenda extends Clock, Timers {
  /** The wall clock moves on its own, forwards or backwards. */
  jump(ms: number): void;
  /** By how much it was set back in all since then (monotonic). */
  setBackMs(since: number): number;
  /** True once the clock was set forward. */
  hasLeapt(): boolean;
  /** Something happened in the service: it is not at rest yet. */
  stir(): void;
  /** Does the next thing and waits until the service rests; false when nothing is left to do. */
  step(): Promise<boolean>;
  /** The highest wall time so far. */
  latest(): number;
}

interface Entry {
  at: number;
  /** Things that are due together happen in any order. */
  tie: number;
  fn: () => void;
}

/** Turns of the event loop without a sign of life after which the service counts as resting. */
const QUIET_TURNS = 4;

export function createAgenda(random: Random, startsAt = Date.UTC(2026, 0, 1)): Agenda {
  const entries = new Set<Entry>();
  let passed = 0;
  let jumped = 0;
  const setBacks: { at: number; ms: number }[] = [];
  let hasLeapt = false;
  let latest = startsAt;
  let stirred = 0;

  async function rest(): Promise<void> {
    let seen = stirred;
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (stirred !== seen) quiet = -1;
      seen = stirred;
    }
  }

  return {
    now: () => startsAt + passed + jumped,
    monotonic: () => passed,
    after(ms, fn) {
      stirred++;
      const entry = { at: passed + Math.max(Math.ceil(ms), 0), tie: random.next(), fn };
      entries.add(entry);
      return () => void entries.delete(entry);
    },
    jump(ms) {
      jumped += ms;
      if (ms < 0) setBacks.push({ at: passed, ms: -ms });
      else hasLeapt = true;
      latest = Math.max(latest, startsAt + passed + jumped);
    },
    setBackMs: (since) => setBacks.reduce((sum, { at, ms }) => (at < since ? sum : sum + ms), 0),
    hasLeapt: () => hasLeapt,
    stir: () => void stirred++,
    latest: () => latest,
    async step() {
      let next: Entry | undefined;
      for (const entry of entries) {
        if (next === undefined || entry.at < next.at || (entry.at === next.at && entry.tie < next.tie))
          next = entry;
      }
      if (next === undefined) return false;
      entries.delete(next);
      passed = next.at;
      latest = Math.max(latest, startsAt + passed + jumped);
      next.fn();
      await rest();
      return true;
    },
  };
}
