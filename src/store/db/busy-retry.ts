// Retries for a few seconds while the database is locked or unavailable.
import { systemClock, systemTimers, type Timers } from "../../lib/clock.ts";
import { DatabaseUnavailable } from "../../lib/database-error.ts";

export const MAX_RETRY_MS = 3_000;

export function pause(ms: number, timers: Timers = systemTimers): Promise<void> {
  return new Promise((resolve) => void timers.after(ms, resolve));
}

export function retryWhileBusy<T>(attempt: () => Promise<T>): Promise<T> {
  return retryWhileUnavailable(attempt, ({ type }) => type === "busy");
}

export async function retryWhileUnavailable<T>(
  attempt: () => Promise<T>,
  isRetryable: (error: DatabaseUnavailable) => boolean = () => true,
): Promise<T> {
  const giveUpAt = systemClock.monotonic() + MAX_RETRY_MS;
  for (let waitMs = 20; ; waitMs = Math.min(waitMs * 2, 250)) {
    try {
      return await attempt();
    } catch (error) {
      const isRetried = error instanceof DatabaseUnavailable && isRetryable(error);
      if (!isRetried || systemClock.monotonic() + waitMs > giveUpAt) throw error;
    }
    await pause(waitMs);
  }
}
