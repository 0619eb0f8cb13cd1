// `?wait=`: subscribe, then look, then wait, so that no end falls between the look and the wait.
import type { Call, Desk } from "./call.ts";
import { tooMany } from "./problem.ts";
import { topics } from "./tail.ts";

/**
 * What `look` finds, as soon as that has ended, or as it stands when the time is up or the service stops.
 * A response: it cannot be waited for.
 * @param waitMs undefined: not at all.
 */
export async function whenEnded<T extends { ended_at: number | null }>(
  c: Call,
  desk: Desk,
  { id, waitMs }: { id: string; waitMs: number | undefined },
  look: () => Promise<T | null>,
): Promise<T | null | Response> {
  if (waitMs === undefined) return look();
  const subscription = desk.tail.subscribe(topics.endOf(id));
  if (subscription === null) return tooMany(c);
  const cancelTimer = desk.timers.after(waitMs, subscription.end);
  c.req.raw.signal.addEventListener("abort", subscription.end, { once: true });
  try {
    for (;;) {
      const found = await look();
      if (found === null || found.ended_at !== null) return found;
      if (!(await subscription.next())) return await look();
    }
  } finally {
    cancelTimer();
    subscription.end();
  }
}
