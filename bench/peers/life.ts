// A run's life without Lyceum: the facts that the workers would record, with a durable write for each.
import type { Execution } from "../../src/domain/execution.ts";
import type { Run } from "../../src/domain/run.ts";
import { recordFact } from "../../src/orchestration/apply-facts.ts";
import { claimRuns } from "../../src/orchestration/claim-runs.ts";
import type { Context } from "../../src/orchestration/context.ts";
import { saveCollected, saveRecord } from "../../src/orchestration/save-artifacts.ts";
import { type ArtifactKind, artifactKinds } from "../../src/store/db/schema.ts";

/**
 * Takes every run to its end, up to 50 at once, and claims runs as slots become free, as dispatch does.
 * @returns a function that waits until no further run is claimed
 */
export function startLives(context: Context, onEnd: (run: Run) => void): () => Promise<void> {
  const live = liver(context);
  let alive = 0;
  let claiming = false;
  let woken = false;
  let last = Promise.resolve();

  function wake(): void {
    woken = true;
    if (!claiming) last = claimAll();
  }

  async function claimAll(): Promise<void> {
    claiming = true;
    while (woken && alive < MAX_ALIVE) {
      // Before claiming, so that a submission during the claim wakes again.
      woken = false;
      const { claims } = await claimRuns(context, MAX_ALIVE - alive);
      alive += claims.length;
      for (const { run, execution } of claims) {
        void live(execution).then(() => {
          alive--;
          onEnd(run);
          wake();
        });
      }
    }
    claiming = false;
  }

  context.store.onCommit((topic) => {
    if (topic === "dispatch") wake();
  });
  return () => last;
}

const MAX_ALIVE = 50;

/** Facts of the same tick are batched, as in the workers. */
function liver(context: Context): (execution: Execution) => Promise<void> {
  return async ({ id }) => {
    await accept(context, id);
    await end(context, id, "later");
  };
}

/** Lyceum has taken the start. */
export async function accept(context: Context, executionId: string): Promise<void> {
  const taken = { status: "pending", raw: "pending", found: false } as const;
  const lyceumExecutionId = `lyceum-${executionId}`;
  await recordFact(context, { executionId, fact: { type: "accepted", lyceumExecutionId, ...taken } });
}

/** Its record is in, and the other artifacts come with it, or later. */
export async function end(
  context: Context,
  executionId: string,
  others: "together" | "later",
): Promise<void> {
  const now = Date.now();
  const snapshot = { ...ended, startedAt: now - 10, endedAt: now };
  const holdUntil = () => now + 600_000;
  const read = { executionId, snapshot, by: "callback", askedAt: now, holdUntil } as const;
  const kinds = others === "together" ? artifactKinds : (["record"] as const);
  await saveRecord(context, { ...read, artifacts: kinds.map(stored) });
  if (others === "together") return;
  const artifacts = artifactKinds.filter((kind) => kind !== "record").map(stored);
  const applied = await saveCollected(context, { executionId, artifacts });
  if (applied?.run.status !== "succeeded") throw new Error(`run ${applied?.run.id} did not succeed`);
}

const ended = { status: "completed" as const, raw: "completed", timedOut: false, returnCode: 0, cost: 0.001 };

const documents = {
  record: { stdout: "2\n", stderr: "", return_code: 0, result: null, errors: null },
  timing: { timing: { queued: 0, executingJob: 0.01, total: 0.01 } },
  metrics: { hostname: null, timeRange: { start: null, end: null } },
  logs: [],
};

function stored(kind: ArtifactKind) {
  const at = Date.now();
  const read = { tries: 1, firstTriedAt: at, fetchedAt: at };
  return { kind, state: "stored" as const, dueAt: null, ...read, document: documents[kind] };
}
