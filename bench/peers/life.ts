// A run's life without Lyceum: the facts that the workers learn of it, one durable write for each of them.
import type { Execution } from "../../src/domain/execution.ts";
import type { Run } from "../../src/domain/run.ts";
import { claimRuns } from "../../src/orchestration/claim.ts";
import type { Context } from "../../src/orchestration/context.ts";
import { settleAll, tell } from "../../src/orchestration/settle.ts";
import { saveArtifacts } from "../../src/store/artifacts.ts";
import type { ArtifactKind } from "../../src/store/schema.ts";
import type { Tx } from "../../src/store/transaction.ts";

/**
 * From now on takes every run through its life, up to 50 at once; as in dispatch, runs are claimed as there is room.
 * Answers how to wait until it looks for no further run.
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
    while (woken && alive < MOST_ALIVE) {
      // Before the look: what is submitted meanwhile wakes again.
      woken = false;
      const { claims } = await claimRuns(context, MOST_ALIVE - alive);
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

const MOST_ALIVE = 50;

/** As in the workers, what is told of several runs in the same turn is written together. */
function liver(context: Context): (execution: Execution) => Promise<void> {
  const { store } = context;
  const endAll = async (tx: Tx, ids: string[]) => {
    const reading = { ...ended, startedAt: tx.now - 10, endedAt: tx.now };
    const fact = { fact: "reading", reading, by: "callback", askedAt: tx.now } as const;
    const settled = await settleAll(
      context,
      tx,
      ids.map((executionId) => ({ executionId, fact })),
    );
    await saveArtifacts(
      tx.db,
      ids.map((id) => stored(tx, id, "record")),
    );
    return settled;
  };
  const collectAll = async (tx: Tx, ids: string[]) => {
    await saveArtifacts(
      tx.db,
      ids.flatMap((id) => [stored(tx, id, "timing"), stored(tx, id, "metrics"), stored(tx, id, "logs")]),
    );
    return settleAll(
      context,
      tx,
      ids.map((executionId) => ({ executionId, fact: { fact: "collected" } })),
    );
  };
  return async ({ id }) => {
    const lyceumExecutionId = `lyceum-${id}`;
    const taken = { status: "pending", raw: "pending", found: false } as const;
    await tell(context, { executionId: id, fact: { fact: "accepted", lyceumExecutionId, ...taken } });
    await store.writeTogether(endAll, id);
    const settled = await store.writeTogether(collectAll, id);
    if (settled?.run.status !== "succeeded") throw new Error(`run ${settled?.run.id} did not succeed`);
  };
}

const ended = { status: "completed" as const, raw: "completed", timedOut: false, returnCode: 0, cost: 0.001 };

const documents = {
  record: { stdout: "2\n", stderr: "", return_code: 0, result: null, errors: null },
  timing: { timing: { queued: 0, executingJob: 0.01, total: 0.01 } },
  metrics: { hostname: null, timeRange: { start: null, end: null } },
  logs: [],
};

function stored({ now }: Tx, executionId: string, kind: ArtifactKind) {
  const read = { tries: 1, firstTriedAt: now, fetchedAt: now };
  return { executionId, kind, state: "stored" as const, dueAt: null, ...read, document: documents[kind] };
}
