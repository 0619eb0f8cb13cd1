// Waiting for an end or an outcome, over as many long polls as it takes. The service may be away for a while in between.
import { ProctorError } from "./error.ts";
import { pause } from "./pause.ts";
import type { Transport } from "./transport.ts";

export interface WaitOptions<T> {
  /**
   * `end` (default): until it is terminal, with all artifacts. `outcome`: until it is known how it ended, of a job how
   * each of its runs did; artifacts may still be missing.
   */
  for?: "end" | "outcome" | undefined;
  /** Afterwards a ProctorError of code `timeout` is thrown; the job goes on. Without it, as long as it takes. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Called with each answer, the last one included; waited for. */
  onUpdate?: ((now: T) => unknown) | undefined;
  /** The longest time between two updates: 60 s, or 5 s with `onUpdate`. */
  updateEveryMs?: number | undefined;
}

/**
 * Returns the job or run at `path` once it has ended (or has its outcome).
 * @throws ProctorError, or the signal's reason
 */
export async function waitForEnd<T extends { id: string; ended_at: string | null; status: string }>(
  transport: Transport,
  path: string,
  isDecided: (seen: T) => boolean,
  options: WaitOptions<T> = {},
): Promise<T> {
  const { timeoutMs = Number.POSITIVE_INFINITY, signal, onUpdate, for: awaited } = options;
  const isOver = awaited === "outcome" ? isDecided : ({ ended_at }: T) => ended_at !== null;
  const everyMs = Math.min(options.updateEveryMs ?? (onUpdate ? 5_000 : MAX_POLL_MS), MAX_POLL_MS);
  const giveUpAt = performance.now() + timeoutMs;
  let answeredAt = performance.now();
  for (;;) {
    const askedAt = performance.now();
    const waitMs = Math.round(Math.max(0, Math.min(everyMs, giveUpAt - askedAt)));
    const seen = await transport
      .json<T>({ path, query: { wait: `${waitMs}ms`, for: awaited }, waitMs, signal })
      .catch((error: unknown) => {
        // The job goes on while the service restarts.
        const isAway = error instanceof ProctorError && error.isTransient;
        if (!isAway || performance.now() - answeredAt > MAX_OUTAGE_MS) throw error;
        return null;
      });
    if (seen !== null) {
      answeredAt = performance.now();
      await onUpdate?.(seen);
      if (isOver(seen)) return seen;
    }
    if (performance.now() >= giveUpAt) {
      const what = seen === null ? "it cannot be reached" : `${seen.id} is ${seen.status}`;
      throw new ProctorError({ code: "timeout", message: `not over within ${timeoutMs / 1_000} s: ${what}` });
    }
    // A service that is about to stop answers at once.
    if (performance.now() - askedAt < waitMs / 2)
      await pause(Math.min(1_000, everyMs, giveUpAt - performance.now()), signal);
  }
}

/** The service's own bound. */
const MAX_POLL_MS = 60_000;
const MAX_OUTAGE_MS = 5 * 60_000;
