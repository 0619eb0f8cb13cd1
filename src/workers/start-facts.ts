// The outcome of a start as a fact about its run.
import type { Fact } from "../domain/state-machine/fact.ts";
import type { StartOutcome } from "../lyceum/outcome.ts";
import { parseStatus } from "../lyceum/status-words.ts";

/** A start that Lyceum did not take in an outage waits for the next probe. */
export function startFact(
  outcome: StartOutcome,
  { now, probeInMs }: { now: number; probeInMs: number },
): Fact {
  switch (outcome.type) {
    case "accepted": {
      const { status, raw } = parseStatus(outcome.word);
      const { lyceumExecutionId, streamingUrl = null } = outcome;
      return { type: "accepted", lyceumExecutionId, status, raw, found: false, streamingUrl };
    }
    case "refused":
      return { type: "refused", status: outcome.status, detail: outcome.detail };
    case "throttled":
      return notTaken("throttled", now + outcome.retryAfterMs, outcome.isSent);
    case "stale":
      return notTaken("stale", now, false);
    case "unreachable":
      return notTaken(outcome.type, now + probeInMs, outcome.isSent);
    case "unauthorized":
    case "unfunded":
      return notTaken(outcome.type, now + probeInMs);
    case "unavailable":
      return { type: "unavailable", detail: outcome.detail };
    case "unknown":
      return { type: "outcome_unknown", detail: outcome.detail };
  }
}

export function notTaken(reason: string, retryAt: number, isSent = true): Fact {
  return { type: "not_taken", retryAt, reason, isSent };
}
