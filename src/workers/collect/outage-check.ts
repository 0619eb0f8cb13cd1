// Tells an outage of Lyceum from the silence of one endpoint: when nobody else was answered meanwhile, a small call of
// its own is made.
import type { LyceumClient } from "../../lyceum/client.ts";
import { isSilent, type Tried } from "./artifact-verdict.ts";
import type { Subject } from "./fetchers.ts";
import { lyceumIdOf } from "./record-artifact.ts";

export interface Hearing {
  /** Notes what was answered, and asks for itself where only silence came. */
  hear(of: Subject, tried: readonly Tried[]): Promise<void>;
  /** When Lyceum answered nobody last, or a rate limit ends: before this, silence tells nothing about an endpoint. */
  awayAt(): number;
}

export function createHearing(lyceum: LyceumClient, now: () => number): Hearing {
  let heardAt = Number.NEGATIVE_INFINITY;
  /** Nobody knows what was before the start of this process. */
  let awayAt = now();
  let asking: Promise<void> | null = null;

  async function ask(of: Subject): Promise<void> {
    const answer = await lyceum.streamingStatus(lyceumIdOf(of.execution), "collect");
    if (answer.type === "ok" || !isSilent(answer)) heardAt = now();
    else awayAt = Math.max(awayAt, now());
  }

  return {
    async hear(of, tried) {
      for (const { fetched } of tried) {
        if (fetched.type === "throttled") awayAt = Math.max(awayAt, now() + fetched.retryAfterMs);
        else if (!isSilent(fetched) && fetched.type !== "pointless") heardAt = now();
      }
      const silent = tried.filter(({ fetched }) => isSilent(fetched));
      const since = Math.min(...silent.map(({ askedAt }) => askedAt));
      if (silent.length === 0 || heardAt >= since || now() - awayAt < ASK_SPACING_MS) return;
      asking ??= ask(of).finally(() => {
        asking = null;
      });
      await asking;
    },
    awayAt: () => awayAt,
  };
}

const ASK_SPACING_MS = 5_000;
