// Collect: after an execution's end its record, timing, logs and metrics are fetched, each with its own state
// and reason. When none is pending any more the run takes its outcome.
import PQueue from "p-queue";
import { type Attempt, afterRefusal, afterSilence, type Verdict } from "../domain/collection.ts";
import type { Fact } from "../domain/machine/fact.ts";
import type { LyceumClient } from "../lyceum/client.ts";
import type { Context } from "../orchestration/context.ts";
import { settle } from "../orchestration/settle.ts";
import { type ArtifactChange, type ArtifactState, listArtifacts, saveArtifact } from "../store/artifacts.ts";
import { type Due, nextDueAt } from "../store/due.ts";
import { createClaims } from "./claims.ts";
import { type Fetched, fetchers } from "./fetch.ts";
import type { Worker } from "./loop.ts";

export interface CollectOptions {
  lyceum: LyceumClient;
  now: () => number;
  /** Executions collected at the same time. */
  concurrency?: number;
  /** Between two reads of a log that may still grow. */
  logSpacingMs?: number;
  /** A place has become free. */
  onRoom: () => void;
}

export function createCollect(context: Context, options: CollectOptions): Worker {
  const { lyceum, now, concurrency = 8, logSpacingMs = 5_000, onRoom } = options;
  const collections = new PQueue({ concurrency });
  const claims = createClaims(context, "collect", LEASE_MS);
  const fetchArtifact = fetchers({ lyceum, now, logSpacingMs, db: context.store.db });

  async function collect({ execution, kind }: Due): Promise<void> {
    const pending = (await listArtifacts(context.store.db, [execution.id])).filter(
      (one) => one.state === "pending",
    );
    const due = pending.filter((artifact) => (artifact.due_at ?? 0) <= now());
    const fetched = await Promise.all(
      due.map((artifact) => fetchArtifact[artifact.kind](execution, artifact, kind)),
    );
    const record = fetched.map((one) => (one.outcome === "got" ? one.reading : undefined)).find(Boolean);
    await context.store.write(async (tx) => {
      for (const [index, artifact] of due.entries()) {
        const change = changeOf(artifact, fetched[index] as Fetched, tx.now);
        await saveArtifact(tx.db, execution.id, artifact.kind, change);
      }
      // As it stands now: a lease that ended early (the clock was set forward) lets somebody else collect meanwhile.
      const waits = (await listArtifacts(tx.db, [execution.id])).flatMap((artifact) => artifact.due_at ?? []);
      const fact: Fact =
        waits.length > 0
          ? { fact: "collect_later", dueAt: Math.min(...waits), record }
          : { fact: "collected", record };
      await settle(context, tx, execution.id, fact);
    });
  }

  return {
    name: "collect",
    async runOnce() {
      const room = concurrency - collections.pending - collections.size;
      if (room <= 0) return null;
      for (const due of await claims.take(room)) {
        void collections
          .add(() => collect(due))
          .catch((error) => context.report.fault("collect", error))
          .finally(() => {
            claims.done([due]);
            onRoom();
          });
      }
      return nextDueAt(context.store.db, "collect");
    },
    idle: () => collections.onIdle(),
    handBack: claims.handBack,
  };
}

const LEASE_MS = 10 * 60_000;

function changeOf(artifact: ArtifactState, result: Fetched, now: number): ArtifactChange {
  const firstTriedAt = artifact.first_tried_at ?? now;
  const tried = { tries: artifact.tries + 1, firstTriedAt };
  if (result.outcome === "got") {
    const { document, summary, againInMs } = result;
    const kept = { ...tried, document, fetchedAt: now, ...(summary === undefined ? {} : { summary }) };
    return againInMs === null
      ? { state: "stored", dueAt: null, reason: null, ...kept }
      : { state: "pending", dueAt: now + againInMs, ...kept };
  }
  const isAnswer =
    result.outcome === "missing" || result.outcome === "refused" || result.outcome === "too_late";
  const tries = isAnswer ? tried.tries : artifact.tries;
  const verdict = verdictOn(result, { tries, firstTriedAt, now });
  if ("retryInMs" in verdict)
    return { state: "pending", dueAt: now + verdict.retryInMs, tries, firstTriedAt };
  // What an earlier read brought is worth more than nothing: it stays, with the reason why it may lack something.
  const state = artifact.fetched_at === null ? "unavailable" : "stored";
  return { state, dueAt: null, tries, firstTriedAt, reason: verdict.giveUp };
}

function verdictOn(result: Exclude<Fetched, { outcome: "got" }>, attempt: Attempt): Verdict {
  switch (result.outcome) {
    case "too_late":
      return { giveUp: result.detail };
    case "missing":
      return afterRefusal(attempt, `not found (${result.detail})`);
    case "refused":
      return afterRefusal(attempt, `refused with ${result.status} (${result.detail})`);
    case "throttled":
      return afterSilence(attempt, result.retryAfterMs, "throttled");
    default:
      return afterSilence(attempt, SILENT_RETRY_MS, result.detail);
  }
}

const SILENT_RETRY_MS = 15_000;
