// After a callback, timing, logs and metrics are requested beside the record: one round trip earlier. Artifacts that
// are in by the time of the end are stored with it, in one write.

import { type Timers, within } from "../../lib/clock.ts";
import { forExecution } from "../../lib/subject.ts";
import { type ArtifactKind, artifactKinds } from "../../store/db/schema.ts";
import type { ArtifactRequests } from "./artifact-requests.ts";
import type { Change, FetchAttempt } from "./artifact-verdict.ts";
import { type Known, knownBy, type Subject, untried } from "./fetchers.ts";
import type { StoredRecord } from "./record-artifact.ts";

/** Dropped if the record shows no end. */
export interface EarlyFetch {
  /** The first call counts. */
  learn(subject: Subject, record: StoredRecord | null): void;
  /** To be called once an end is known. What follows from each answer. */
  changes(): Promise<Change[]>;
  /** The same, if it is known within a moment; otherwise null: the end is not to wait for it. */
  changesSoon(): Promise<Change[] | null>;
}

export interface EarlyFetchOptions {
  requests: ArtifactRequests;
  timers: Timers;
  mayFetch: () => boolean;
  onCapacity: () => void;
}

export function createEarlyFetches({ requests, timers, mayFetch, onCapacity }: EarlyFetchOptions) {
  const underWay = new Set<Promise<FetchAttempt[]>>();
  /** False callbacks cost early requests only once. */
  const begun = new Set<string>();

  function earlyFetch(subject: Subject): EarlyFetch {
    const known = Promise.withResolvers<Known>();
    // In the next microtask, so that the record is requested first.
    const attempts = Promise.resolve().then(() =>
      forExecution(subject.execution, () =>
        requests.fetchArtifacts(subject, others.map(untried), known.promise),
      ),
    );
    underWay.add(attempts);
    void attempts.finally(() => underWay.delete(attempts)).finally(onCapacity);
    let decided: Promise<Change[]> | null = null;
    const changes = () => (decided ??= attempts.then((all) => requests.decide(subject, all, known.promise)));
    return {
      learn: (ended, record) => known.resolve(knownBy(ended, record)),
      changes,
      async changesSoon() {
        // A fault counts as late: whoever awaits the changes then reports it.
        const areKnown = await within(timers, SOON_MS, changes()).catch(() => false);
        return areKnown ? changes() : null;
      },
    };
  }

  return {
    size: () => underWay.size,
    /** Null: done before for this execution, or calls would be deferred. */
    begin(subject: Subject): EarlyFetch | null {
      const { id } = subject.execution;
      if (!mayFetch() || begun.has(id)) return null;
      if (begun.size >= MAX_REMEMBERED) begun.clear();
      begun.add(id);
      return earlyFetch(subject);
    },
    async idle() {
      await Promise.all(underWay);
    },
  };
}

const others: readonly ArtifactKind[] = artifactKinds.filter((kind) => kind !== "record");
const MAX_REMEMBERED = 10_000;
/** Little beside a round trip to Lyceum, and more than the answers to requests of one moment differ by. */
const SOON_MS = 20;
