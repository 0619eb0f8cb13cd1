// `?wait=`: subscribe, then read, then wait, so that no end falls between the read and the wait.
import { tooMany } from "../problem.ts";
import type { AppContext, RequestContext } from "../request-context.ts";
import { topics } from "./feed.ts";

export interface Wait<T> {
  current: T;
  waitMs: number | undefined;
  awaited: "end" | "outcome";
  read(): Promise<T | null>;
  /** For a job: all its runs have their outcome. */
  isDecided(found: T): boolean;
}

/** At the end, after the wait, or at shutdown. Null: deleted meanwhile. A problem above the limit of open waits. */
export async function waitForEnd<T extends { id: string; ended_at: number | null }>(
  c: RequestContext,
  context: AppContext,
  { current, waitMs, awaited, read, isDecided }: Wait<T>,
): Promise<T | null | Response> {
  if (waitMs === undefined) return current;
  const { id } = current;
  const isOver = awaited === "outcome" ? isDecided : ({ ended_at }: T) => ended_at !== null;
  const subscription = context.feed.subscribe(
    awaited === "outcome" ? topics.outcomeOf(id) : topics.endOf(id),
  );
  if (subscription === null) return tooMany(c);
  const cancelTimer = context.timers.after(waitMs, subscription.end);
  c.req.raw.signal.addEventListener("abort", subscription.end, { once: true });
  try {
    for (;;) {
      const found = await read();
      if (found === null || isOver(found)) return found;
      if (!(await subscription.next())) return await read();
    }
  } finally {
    cancelTimer();
    subscription.end();
  }
}
