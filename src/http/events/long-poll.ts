// `?wait=`: subscribe, then look, then wait, so that no end falls between the look and the wait.

import { tooMany } from "../problem.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { topics } from "./feed.ts";

export interface Wait<T> {
  /** The job's or run's id. */
  id: string;
  /** Undefined: not at all. */
  waitMs: number | undefined;
  awaited: "end" | "outcome";
  look(): Promise<T | null>;
  /** Its outcome is known, of a job the outcomes of all runs. */
  isDecided(found: T): boolean;
}

/**
 * Returns the result of `look` once it has ended (or has its outcome), the time is up or the service stops.
 * Returns a response if too many waits are open.
 */
export async function waitForEnd<T extends { ended_at: number | null }>(
  c: RequestContext,
  desk: AppContext,
  { id, waitMs, awaited, look, isDecided }: Wait<T>,
): Promise<T | null | Response> {
  if (waitMs === undefined) return look();
  const isOver = awaited === "outcome" ? isDecided : ({ ended_at }: T) => ended_at !== null;
  const subscription = desk.tail.subscribe(awaited === "outcome" ? topics.outcomeOf(id) : topics.endOf(id));
  if (subscription === null) return tooMany(c);
  const cancelTimer = desk.timers.after(waitMs, subscription.end);
  c.req.raw.signal.addEventListener("abort", subscription.end, { once: true });
  try {
    for (;;) {
      const found = await look();
      if (found === null || isOver(found)) return found;
      if (!(await subscription.next())) return await look();
    }
  } finally {
    cancelTimer();
    subscription.end();
  }
}
