// Asks Lyceum for documents of one execution, and judges what came of it.
import PQueue from "p-queue";
import type { Size } from "../../lyceum/client.ts";
import type { ArtifactKind } from "../../store/db/schema.ts";
import { type Change, changeOf, type Tried } from "./artifact-verdict.ts";
import type { Fetch, Fetched, Subject, Wanted } from "./fetchers.ts";
import type { Hearing } from "./outage-check.ts";
import type { Printed } from "./record-artifact.ts";

export interface AskingOptions {
  fetchers: Record<ArtifactKind, Fetch>;
  hearing: Hearing;
  now: () => number;
  /** A fault of ours. */
  onFault: (error: unknown) => void;
}

export function createAsking({ fetchers, hearing, now, onFault }: AskingOptions) {
  const large = new PQueue({ concurrency: 1 });

  function ask(of: Subject, wanted: Wanted[], printed: Printed | null, size: Size): Promise<Tried[]> {
    return Promise.all(
      wanted.map(async (artifact) => ({
        artifact,
        askedAt: now(),
        fetched: await fetchers[artifact.kind](of, artifact, printed, size).catch(notWorkedOn),
      })),
    );
  }

  /** Counted like an answer that cannot be used, so that the run ends all the same. */
  function notWorkedOn(error: unknown): Fetched {
    onFault(error);
    return { type: "unreadable", detail: "could not be worked on", isTooLarge: false };
  }

  /** Asks again for artifacts that were too large, one execution at a time: more would not fit in memory. */
  async function whole(of: Subject, tried: Tried[], printed: Printed | null): Promise<Tried[]> {
    if (!tried.some(isTooLarge)) return tried;
    return large.add(async () => {
      const all: Tried[] = [];
      for (const one of tried)
        all.push(...(isTooLarge(one) ? await ask(of, [one.artifact], printed, "large") : [one]));
      return all;
    });
  }

  return {
    ask: (of: Subject, wanted: Wanted[], printed: Printed | null) => ask(of, wanted, printed, "usual"),
    async judge(of: Subject, tried: Tried[], printed: Printed | null): Promise<Change[]> {
      const all = await whole(of, tried, printed);
      await hearing.hear(of, all);
      return all.map((one) => changeOf(one, now(), hearing.awayAt()));
    },
  };
}

function isTooLarge({ fetched }: Tried): boolean {
  return fetched.type === "unreadable" && fetched.isTooLarge;
}
