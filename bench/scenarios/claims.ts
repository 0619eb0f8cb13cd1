// Claims of due executions with a long history, compared with a short one.
import { join } from "node:path";
import { claimDue, nextDueAt } from "../../src/store/execution-claims.ts";
import { advanceRoundRobin, nextInFairOrder } from "../../src/store/fair-queue.ts";
import { nextQueuedRuns } from "../../src/store/runs.ts";
import type { Store } from "../../src/store/store.ts";
import { openBenchStore } from "../context.ts";
import { type Bench, interleave, ratioOf, type Sample, type Scenario } from "../measure.ts";
import { addRuns, createDatabase } from "../rows.ts";

export const claims: Scenario = {
  name: "claims",
  includes:
    "In-process against the store, inside one transaction, without its commit: taking due executions for a check, 10 " +
    "at a time, and finding the next run to start. 1,000,000 ended runs with their executions against 1,000; 20,000 " +
    "due executions and 1,000 queued runs in both.",
  async run(bench) {
    const ours = await prepare(bench, "claims-long", bench.size(1_000_000, 2_000));
    const theirs = await prepare(bench, "claims-short", 1_000);
    const arms = (measure: (store: Store) => Promise<Sample>) => ({
      ours: () => measure(ours),
      theirs: () => measure(theirs),
    });
    const against = "1,000 ended runs";
    const checks = await interleave(bench, "claims of due checks", arms(claimChecks));
    const starts = await interleave(bench, "claims of the next start", arms(findStarts));
    await Promise.all([ours.close(), theirs.close()]);
    return [
      ratioOf(checks, "us", { name: "claim of 10 due checks", unit: "µs", against, goal: { atMost: 1.2 } }),
      ratioOf(starts, "us", { name: "next run to start", unit: "µs", against, goal: { atMost: 1.2 } }),
    ];
  },
};

async function prepare(bench: Bench, name: string, ended: number): Promise<Store> {
  const path = join(bench.directory, `${name}.db`);
  bench.progress(`${name}: ${ended} ended runs`);
  await createDatabase(path);
  await addRuns(path, "ended", { from: 0, count: ended });
  await addRuns(path, "due", { from: 2_000_000, count: 20_000 });
  await addRuns(path, "queued", { from: 3_000_000, count: 1_000 });
  const store = openBenchStore(path);
  await claimChecks(store);
  await findStarts(store);
  return store;
}

const TIMES = 200;

function claimChecks(store: Store): Promise<Sample> {
  return perCall(store, async ({ db, now }) => {
    await claimDue(db, "reconcile", now, now, 10);
    await nextDueAt(db, "reconcile");
  });
}

function findStarts(store: Store): Promise<Sample> {
  return perCall(store, async ({ db, now }) => {
    const turns = await nextInFairOrder(db, now, 1);
    if (turns[0] === undefined) throw new Error("nothing is queued");
    await advanceRoundRobin(db, turns, now);
    await nextQueuedRuns(db, turns[0].id, now, 1);
  });
}

function perCall(store: Store, call: (tx: Parameters<Parameters<Store["write"]>[0]>[0]) => Promise<void>) {
  return store.write(async (tx) => {
    const startedAt = performance.now();
    for (let times = 0; times < TIMES; times++) await call(tx);
    return { us: ((performance.now() - startedAt) * 1000) / TIMES };
  });
}
