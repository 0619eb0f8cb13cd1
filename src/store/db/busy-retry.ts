// Waiting for a database that is away or locked: outside of it, between two tries, and not for long.
import { systemClock, systemTimers } from "../../lib/clock.ts";
import { DatabaseUnavailable } from "../../lib/database-error.ts";

/** Work is repeated for this long before its caller hears that the database is unavailable. */
export const REPEATED_FOR_MS = 3_000;

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void systemTimers.after(ms, resolve));
}

/** Repeats what meets another process's lock. The process answers other requests meanwhile. */
export function whileBusy<T>(attempt: () => Promise<T>): Promise<T> {
  return repeatedly(attempt, ({ type }) => type === "busy");
}

/** Repeats until it comes about, or the database has been unavailable for some seconds. */
export async function repeatedly<T>(
  attempt: () => Promise<T>,
  isWorthIt: (error: DatabaseUnavailable) => boolean = () => true,
): Promise<T> {
  const giveUpAt = systemClock.monotonic() + REPEATED_FOR_MS;
  for (let waitMs = 20; ; waitMs = Math.min(waitMs * 2, 250)) {
    try {
      return await attempt();
    } catch (error) {
      const isRepeated = error instanceof DatabaseUnavailable && isWorthIt(error);
      if (!isRepeated || systemClock.monotonic() + waitMs > giveUpAt) throw error;
    }
    await pause(waitMs);
  }
}
