// Heeds the pauses of calls to Lyceum that other instances were asked for, and their pause of all starts. NOTIFY tells of them at once; where that is
// lost, the loop finds them within seconds.
import type { RateLimiter } from "../lyceum/rate-limiter.ts";
import type { Context } from "../orchestration/context.ts";
import { readPauses } from "../store/rate-limit-pauses.ts";
import { readStartPause } from "../store/start-pause.ts";
import type { Worker } from "./loop.ts";
import type { StartGate } from "./start-gate.ts";

export interface PausesOptions {
  rateLimiter: Pick<RateLimiter, "heed">;
  gate: Pick<StartGate, "heed">;
  now: () => number;
  /** Starts may go on. */
  onOpened(): void;
}

export function createPauses(
  { store }: Pick<Context, "store">,
  { rateLimiter, gate, now, onOpened }: PausesOptions,
): Worker {
  return {
    name: "pauses",
    async runOnce() {
      const pauses = await readPauses(store.db, now());
      // A pause from the future was stored before the clock was set back: read again and again, it would never end.
      rateLimiter.heed(pauses.filter(({ since }) => (since ?? 0) < now() + CLOCK_DIFFERENCE_MS));
      const startPause = await readStartPause(store.db, now());
      if (gate.heed(startPause) && startPause === null) onOpened();
      return null;
    },
    idle: async () => {},
  };
}

/** Between two instances, which both follow the database's clock. */
const CLOCK_DIFFERENCE_MS = 1_000;
