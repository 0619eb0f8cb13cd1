// Dispatch: starts queued runs at Lyceum. Places in the start limit are taken first, the runs are claimed last,
// and the claims are durable before the requests leave.
import PQueue from "p-queue";
import { isResting } from "../domain/clock.ts";
import type { Fact } from "../domain/machine/fact.ts";
import { takesCallback } from "../domain/spec.ts";
import { callbackToken } from "../domain/token.ts";
import type { LyceumClient } from "../lyceum/client.ts";
import type { StartOutcome } from "../lyceum/outcome.ts";
import { startRequest } from "../lyceum/request.ts";
import type { Place, Throttle } from "../lyceum/throttle.ts";
import { classify } from "../lyceum/word.ts";
import { type Claim, claimRuns } from "../orchestration/claim.ts";
import type { Context } from "../orchestration/context.ts";
import { type Told, tell } from "../orchestration/settle.ts";
import type { Worker } from "./loop.ts";

export interface DispatchOptions {
  lyceum: LyceumClient;
  throttle: Throttle;
  /** Where Lyceum reaches us, and the secret that makes new callback tokens; null: no callbacks. */
  callbacks: { publicUrl: string; secret: string } | null;
  /** Parallel start requests. */
  concurrency: number;
  now: () => number;
  /** A start has ended: there may be room for another one. */
  onRoom: () => void;
}

export function createDispatch(context: Context, options: DispatchOptions): Worker {
  const { lyceum, throttle, callbacks, concurrency, now, onRoom } = options;
  const starts = new PQueue({ concurrency });
  /** Never more than `concurrency`: nothing starts before they are told. */
  const untold: Told[] = [];
  let setbacks = 0;
  let pausedUntil = 0;

  const isPaused = () => isResting(pausedUntil, LONGEST_PAUSE_MS, now());

  /** A Lyceum that cannot be reached, or refuses our credentials, is no run's fault: all starts wait together. */
  function heed(outcome: StartOutcome): number {
    if (outcome.outcome === "throttled") return now() + outcome.retryAfterMs;
    if (!NOBODYS_FAULT.has(outcome.outcome)) {
      setbacks = 0;
      return now();
    }
    if (!isPaused()) {
      const waitMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** setbacks++);
      pausedUntil = now() + Math.round(waitMs * (0.5 + context.random() / 2));
    }
    return pausedUntil;
  }

  async function start(claim: Claim): Promise<void> {
    const { run, execution, spec } = claim;
    const callbackUrl =
      callbacks !== null && takesCallback(run.kind)
        ? `${callbacks.publicUrl}/callbacks/lyceum/${execution.id}/${callbackToken(callbacks.secret, execution.id)}`
        : null;
    context.report.executionStarted({
      executionId: execution.id,
      runId: run.id,
      kind: run.kind,
      attempt: run.attempt,
    });
    const outcome = await lyceum.start(startRequest(spec, { executionId: execution.id, callbackUrl }));
    const detail = "detail" in outcome ? outcome.detail : undefined;
    context.report.submission({ executionId: execution.id, outcome: outcome.outcome, detail });
    const retryAt = heed(outcome);
    await record({ executionId: execution.id, fact: toFact(outcome, retryAt, claim.previousId) });
  }

  /** What a start came to is known to nobody else: if the database does not take it, it is told again. */
  async function record(told: Told): Promise<void> {
    await tell(context, told).catch((error) => {
      context.report.fault("dispatch", error);
      untold.push(told);
    });
  }

  async function recordUntold(): Promise<void> {
    await Promise.all(untold.splice(0).map(record));
  }

  function begin(claim: Claim): void {
    void starts
      .add(() => start(claim))
      .then(onRoom, (error) => {
        // The row stands as submitting: its wake-up makes it in doubt, and it is searched for.
        context.report.fault("dispatch", error);
        onRoom();
      });
  }

  /** Places in the start limit, at most as many; `waitMs` says for how long there are no more. */
  function reserve(most: number): { places: Place[]; waitMs: number } {
    const places: Place[] = [];
    while (places.length < most) {
      const place = throttle.reserve("execution");
      if (!place.granted) return { places, waitMs: place.waitMs };
      places.push(place);
    }
    return { places, waitMs: 0 };
  }

  return {
    name: "dispatch",
    async runOnce() {
      if (untold.length > 0) await recordUntold();
      if (untold.length > 0) return now() + FIRST_PAUSE_MS;
      if (isPaused()) return pausedUntil;
      while (starts.pending + starts.size < concurrency) {
        const room = concurrency - starts.pending - starts.size;
        const { places, waitMs } = reserve(Math.min(room, MOST_AT_ONCE));
        if (places.length === 0) return now() + waitMs;
        const release = (unused: Place[]) => {
          for (const place of unused) place.release();
        };
        const { claims, nextAt } = await claimRuns(context, places.length).catch((error) => {
          release(places);
          throw error;
        });
        release(places.slice(claims.length));
        for (const claim of claims) begin(claim);
        if (claims.length < places.length) return nextAt;
      }
      return null;
    },
    idle: () => starts.onIdle(),
  };
}

/** Runs that are claimed in one write. */
const MOST_AT_ONCE = 64;
const FIRST_PAUSE_MS = 1_000;
const NOBODYS_FAULT: ReadonlySet<string> = new Set([
  "unreachable",
  "unauthorized",
  "unavailable",
  "unfunded",
]);
const LONGEST_PAUSE_MS = 60_000;

function toFact(outcome: StartOutcome, retryAt: number, previousId: string | null): Fact {
  switch (outcome.outcome) {
    case "accepted": {
      const { status, raw } = classify(outcome.word);
      return { fact: "accepted", lyceumExecutionId: outcome.lyceumExecutionId, status, raw, found: false };
    }
    case "refused":
      return { fact: "refused", status: outcome.status, detail: outcome.detail };
    case "throttled":
    case "unauthorized":
    case "unreachable":
    case "unavailable":
    case "unfunded":
      return { fact: "not_taken", retryAt, reason: outcome.outcome, previousId };
    case "unknown":
      return { fact: "outcome_unknown", detail: outcome.detail };
  }
}
