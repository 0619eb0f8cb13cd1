// A run's life without Lyceum: the facts that the workers learn of it, one durable write for each of them.
import type { Execution } from "../../src/domain/execution.ts";
import type { Fact } from "../../src/domain/machine/fact.ts";
import type { Run } from "../../src/domain/run.ts";
import { claimRuns } from "../../src/orchestration/claim.ts";
import type { Context } from "../../src/orchestration/context.ts";
import { settle } from "../../src/orchestration/settle.ts";
import { listArtifacts, saveArtifact } from "../../src/store/artifacts.ts";
import type { Tx } from "../../src/store/transaction.ts";

/**
 * From now on takes every run through its life, up to 50 at once; as in dispatch, runs are claimed as there is room.
 * Answers how to wait until it looks for no further run.
 */
export function startLives(context: Context, onEnd: (run: Run) => void): () => Promise<void> {
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
        void live(context, execution).then(() => {
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

async function live(context: Context, { id }: Execution): Promise<void> {
  const { store } = context;
  const tell = (tx: Tx, fact: Fact) => settle(context, tx, id, fact);
  const lyceumExecutionId = `lyceum-${id}`;
  await store.write((tx) =>
    tell(tx, { fact: "accepted", lyceumExecutionId, status: "pending", raw: "pending", found: false }),
  );
  await store.write(async (tx) => {
    const reading = { ...ended, startedAt: tx.now - 10, endedAt: tx.now };
    await tell(tx, { fact: "reading", reading, by: "callback", askedAt: tx.now });
    await saveArtifact(tx.db, id, "record", stored(tx, documents.record));
  });
  const pending = (await listArtifacts(store.db, [id])).filter(({ state }) => state === "pending");
  const settled = await store.write(async (tx) => {
    for (const { kind } of pending) await saveArtifact(tx.db, id, kind, stored(tx, documents[kind]));
    return tell(tx, { fact: "collected" });
  });
  if (settled?.run.status !== "succeeded") throw new Error(`run ${settled?.run.id} did not succeed`);
}

const ended = { status: "completed" as const, raw: "completed", timedOut: false, returnCode: 0, cost: 0.001 };

const documents = {
  record: { stdout: "2\n", stderr: "", return_code: 0, result: null, errors: null },
  timing: { timing: { queued: 0, executingJob: 0.01, total: 0.01 } },
  metrics: { hostname: null, timeRange: { start: null, end: null } },
  logs: [],
};

function stored({ now }: Tx, document: unknown) {
  return { state: "stored" as const, dueAt: null, tries: 1, firstTriedAt: now, fetchedAt: now, document };
}
