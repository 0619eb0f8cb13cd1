// Waits for an end or outcome by repeated long polls. Short outages of the service are tolerated.
import { ProctorError } from "./error.ts";
import { pause } from "./pause.ts";
import type { Transport } from "./transport.ts";

export interface WaitOptions<T> {
  /**
   * `end` (default): a terminal status, with all artifacts. `outcome`: the outcome of the run, or of all runs of the job;
   * artifacts may still be missing.
   */
  for?: "end" | "outcome" | undefined;
  /** Throws a ProctorError with code `timeout` after this time; the job continues. Default: no limit. */
  timeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Called with each answer, including the last, and awaited. */
  onUpdate?: ((current: T) => unknown) | undefined;
  /** Maximum time between updates. Default: 60 s, or 5 s with `onUpdate`. */
  updateEveryMs?: number | undefined;
}

/**
 * Returns the job or run at `path` once it has ended (or has its outcome).
 * @throws ProctorError, or the signal's reason
 */
export async function waitForEnd<T extends { id: string; ended_at: string | null; status: string }>(
  transport: Transport,
  path: string,
  isDecided: (current: T) => boolean,
  options: WaitOptions<T> = {},
): Promise<T> {
  const { timeoutMs = Number.POSITIVE_INFINITY, signal, onUpdate, for: awaited } = options;
  const isOver = awaited === "outcome" ? isDecided : ({ ended_at }: T) => ended_at !== null;
  const everyMs = Math.min(options.updateEveryMs ?? (onUpdate ? 5_000 : MAX_POLL_MS), MAX_POLL_MS);
  const giveUpAt = performance.now() + timeoutMs;
  let answeredAt = performance.now();
  for (;;) {
    const sentAt = performance.now();
    const waitMs = Math.round(Math.max(0, Math.min(everyMs, giveUpAt - sentAt)));
    const current = await transport
      .json<T>({ path, query: { wait: `${waitMs}ms`, for: awaited }, waitMs, signal })
      .catch((error: unknown) => {
        // The job continues while the service restarts.
        const isOutage = error instanceof ProctorError && error.isTransient;
        if (!isOutage || performance.now() - answeredAt > MAX_OUTAGE_MS) throw error;
        return null;
      });
    if (current !== null) {
      answeredAt = performance.now();
      await onUpdate?.(current);
      if (isOver(current)) return current;
    }
    if (performance.now() >= giveUpAt) {
      const state = current === null ? "the service is unreachable" : `${current.id} is ${current.status}`;
      throw new ProctorError({ code: "timeout", message: `no end within ${timeoutMs / 1_000} s: ${state}` });
    }
    // A service that is shutting down answers at once.
    if (performance.now() - sentAt < waitMs / 2)
      await pause(Math.min(1_000, everyMs, giveUpAt - performance.now()), signal);
  }
}

/** The service's limit. */
const MAX_POLL_MS = 60_000;
const MAX_OUTAGE_MS = 5 * 60_000;
