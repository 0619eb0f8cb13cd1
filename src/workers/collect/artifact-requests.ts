// Fetches artifacts of one execution from Lyceum, and decides what follows from each result.
import PQueue from "p-queue";
import type { Size } from "../../lyceum/client.ts";
import type { ArtifactKind } from "../../store/db/schema.ts";
import { type Change, changeOf, type FetchAttempt } from "./artifact-verdict.ts";
import type { Fetched, Fetcher, Known, Subject, Wanted } from "./fetchers.ts";
import type { OutageCheck } from "./outage-check.ts";

export interface ArtifactRequestOptions {
  fetchers: Record<ArtifactKind, Fetcher>;
  outageCheck: OutageCheck;
  now: () => number;
  onFault: (error: unknown) => void;
}

export type ArtifactRequests = ReturnType<typeof createArtifactRequests>;

export function createArtifactRequests({ fetchers, outageCheck, now, onFault }: ArtifactRequestOptions) {
  const large = new PQueue({ concurrency: 1 });

  function fetchAll(
    subject: Subject,
    wanted: Wanted[],
    known: Known | Promise<Known>,
    size: Size,
  ): Promise<FetchAttempt[]> {
    return Promise.all(
      wanted.map(async (artifact) => ({
        artifact,
        askedAt: now(),
        fetched: await fetchers[artifact.kind](subject, artifact, known, size).catch(toUnreadable),
      })),
    );
  }

  /** Counts like an unusable answer, so that the run ends all the same. */
  function toUnreadable(error: unknown): Fetched {
    onFault(error);
    return { type: "unreadable", detail: "could not be processed", isTooLarge: false };
  }

  async function refetchTooLarge(
    subject: Subject,
    attempts: FetchAttempt[],
    known: Known | Promise<Known>,
  ): Promise<FetchAttempt[]> {
    if (!attempts.some(isTooLarge)) return attempts;
    return large.add(async () => {
      const all: FetchAttempt[] = [];
      for (const attempt of attempts)
        all.push(
          ...(isTooLarge(attempt) ? await fetchAll(subject, [attempt.artifact], known, "large") : [attempt]),
        );
      return all;
    });
  }

  return {
    fetchArtifacts: (subject: Subject, wanted: Wanted[], known: Known | Promise<Known>) =>
      fetchAll(subject, wanted, known, "usual"),
    async decide(
      subject: Subject,
      attempts: FetchAttempt[],
      known: Known | Promise<Known>,
    ): Promise<Change[]> {
      const all = await refetchTooLarge(subject, attempts, known);
      await outageCheck.observe(subject, all);
      return all.map((attempt) => changeOf(attempt, now(), outageCheck.awayAt()));
    },
  };
}

function isTooLarge({ fetched }: FetchAttempt): boolean {
  return fetched.type === "unreadable" && fetched.isTooLarge;
}
