// Tells an outage of Lyceum from the silence of one endpoint: if no other call was answered, a small probe decides.
import type { LyceumClient } from "../../lyceum/client.ts";
import { lyceumIdOf } from "../../lyceum/snapshot.ts";
import { type FetchAttempt, isSilent } from "./artifact-verdict.ts";
import type { Subject } from "./fetchers.ts";

export interface OutageCheck {
  /** To be called at least every 30 s: after a longer gap this process stood still, or its clock was set forward. */
  alive(): void;
  observe(subject: Subject, attempts: readonly FetchAttempt[]): Promise<void>;
  /** Silence before this says nothing about an endpoint. */
  awayAt(): number;
}

export function createOutageCheck(lyceum: LyceumClient, now: () => number): OutageCheck {
  let answeredAt = Number.NEGATIVE_INFINITY;
  /** An outage before the start of this process is unknown, so one is assumed. */
  let awayAt = now();
  let aliveAt = now();
  let probing: Promise<void> | null = null;

  function alive(): void {
    // Nobody was asked meanwhile.
    if (now() - aliveAt > MAX_GAP_MS) awayAt = Math.max(awayAt, now());
    aliveAt = now();
  }

  async function probe({ execution }: Subject): Promise<void> {
    const answer = await lyceum.streamingStatus(lyceumIdOf(execution), "collect");
    if (answer.type === "ok" || !isSilent(answer)) answeredAt = now();
    else awayAt = Math.max(awayAt, now());
  }

  return {
    alive,
    async observe(subject, attempts) {
      alive();
      for (const { fetched } of attempts) {
        if (fetched.type === "throttled") awayAt = Math.max(awayAt, now() + fetched.retryAfterMs);
        else if (!isSilent(fetched) && fetched.type !== "pointless") answeredAt = now();
      }
      const silent = attempts.filter(({ fetched }) => isSilent(fetched));
      const since = Math.min(...silent.map(({ askedAt }) => askedAt));
      if (silent.length === 0 || answeredAt >= since || now() - awayAt < PROBE_SPACING_MS) return;
      probing ??= probe(subject).finally(() => {
        probing = null;
      });
      await probing;
    },
    awayAt: () => awayAt,
  };
}

const PROBE_SPACING_MS = 5_000;
/** Twice the longest sleep of a worker. */
const MAX_GAP_MS = 60_000;
