// Decides about an artifact after each fetch: keep it, fetch it again, or give up.
import { type Attempt, afterSilence, afterUnusable, type Verdict } from "../../domain/collection.ts";
import type { Snapshot } from "../../domain/execution.ts";
import type { ArtifactChange } from "../../store/artifacts.ts";
import type { Fetched, Wanted } from "./fetchers.ts";

export type Change = Omit<ArtifactChange, "executionId"> & {
  snapshot?: Snapshot | undefined;
};

export interface FetchAttempt {
  artifact: Wanted;
  askedAt: number;
  fetched: Fetched;
}

/** Lyceum did not answer, which says nothing about the artifact. */
export function isSilent({ type }: Fetched): boolean {
  return type === "unreachable" || type === "unauthorized" || type === "throttled";
}

/** @param awayAt the last time at which no call to Lyceum was answered */
export function changeOf({ artifact, askedAt, fetched }: FetchAttempt, now: number, awayAt: number): Change {
  const { kind } = artifact;
  const firstTriedAt = artifact.first_tried_at ?? askedAt;
  const tries = artifact.tries + (isSilent(fetched) ? 0 : 1);
  const tried = { kind, tries, firstTriedAt };
  if (fetched.type === "got") {
    const { document, summary, snapshot, againInMs } = fetched;
    const kept = { ...tried, document, summary, snapshot, fetchedAt: now };
    return againInMs === null
      ? { state: "stored", dueAt: null, reason: null, ...kept }
      : { state: "pending", dueAt: now + againInMs, ...kept };
  }
  const isKept = artifact.fetched_at !== null;
  const verdict = verdictOn(fetched, { tries, firstTriedAt, isKept, now }, awayAt);
  if ("retryInMs" in verdict) return { ...tried, state: "pending", dueAt: now + verdict.retryInMs };
  // Keep the document of an earlier read, with the reason why that document may be incomplete.
  return { ...tried, state: isKept ? "stored" : "unavailable", dueAt: null, reason: verdict.giveUp };
}

function verdictOn(fetched: Exclude<Fetched, { type: "got" }>, attempt: Attempt, awayAt: number): Verdict {
  switch (fetched.type) {
    case "pointless":
      return { giveUp: fetched.detail };
    case "unreadable":
      // The next answer would be as large.
      return fetched.isTooLarge ? { giveUp: fetched.detail } : afterUnusable(attempt, fetched.detail);
    case "empty":
      return afterUnusable(attempt, fetched.detail);
    case "missing":
      return afterUnusable(attempt, `Lyceum has none: not found (${fetched.detail})`);
    case "refused":
      return afterUnusable(attempt, `Lyceum has none: refused with ${fetched.status} (${fetched.detail})`);
    case "throttled":
      return afterSilence(attempt, awayAt, fetched.retryAfterMs, "throttled");
    default:
      return afterSilence(attempt, awayAt, SILENT_RETRY_MS, fetched.detail);
  }
}

const SILENT_RETRY_MS = 15_000;
