// Durable enqueueing and processing, compared with other queues at the same layer: in process with our store, and behind
// the same routes with our API.
import { type Bench, type Figure, type Scenario, Skipped } from "../measure.ts";
import { startPostgres } from "../peers/postgres.ts";
import { type Database, startRedis } from "../peers/redis.ts";
import { peerNames } from "../peers/registry.ts";
import { enqueueInProcess, processInProcess } from "./inprocess.ts";
import { enqueueOverHttp, processOverHttp } from "./overhttp.ts";

export const peers: Scenario = {
  name: "peers",
  includes:
    "Jobs per second until they are durably taken, and until they are durably finished, the work itself being nothing. " +
    "Ours writes job, run, spec, events and idempotency key and syncs before it says so; a batch is one job of so many " +
    "runs. To process a run in-process is four more synced writes through the door that the workers use (claimed, " +
    "accepted, the end with its record, the other artifacts), 50 runs at once, without callbacks, the workers' leases and " +
    "what Lyceum's answers take to read. Over HTTP it is the whole service (SUBMIT_CONCURRENCY=50, log and metrics as " +
    "shipped) with all of that; a Lyceum in its own process answers at once and calls back. Whoever processes learns of " +
    "the end by `GET /v1/jobs/{id}?wait=60s`, in-process by a promise. BullMQ (concurrency 50) on Redis with appendfsync " +
    "always, pg-boss (NOTIFY, batches of " +
    "250) and graphile-worker (concurrency 50, local queue of 500, batched completion) on PostgreSQL as it comes sync " +
    "each commit; plainjob as shipped runs synchronous=NORMAL and may lose what it took when the power fails, and is " +
    "shown with FULL, too. BullMQ also writes a stream of events, of which Redis keeps the last 10,000; the others keep none. " +
    "None keeps documents, searches for a lost start, checks a key, or checks what it is given; over HTTP their server " +
    "checks it. graphile-worker deletes what is finished, the others keep it. Processor time over HTTP is that of the " +
    "server and its database, all processes, per job.",
  async run(whole) {
    const bench = { ...whole, rounds: Math.min(whole.rounds, 3) };
    const redis = await started(bench, "bullmq", () => startRedis(bench.directory));
    const postgres = await started(bench, "pgboss and graphile", startPostgres);
    const env = { ...redis?.env, ...postgres?.env, DIRECTORY: bench.directory };
    const databases = {
      bullmq: redis === null ? [] : [redis.pid],
      pgboss: postgres === null ? [] : [postgres.pid],
      graphile: postgres === null ? [] : [postgres.pid],
    };
    const names = peerNames.filter((name) => {
      if (name === "bullmq") return redis !== null;
      return postgres !== null || (name !== "pgboss" && name !== "graphile");
    });
    try {
      const enqueued = await enqueueInProcess(bench, names, env);
      return [
        ...(names.length === peerNames.length ? [besideTheBest(enqueued)] : []),
        ...enqueued,
        ...(await processInProcess(bench, names, env)),
        ...(await enqueueOverHttp(bench, { names, env, databases })),
        ...(await processOverHttp(bench, { names, env, databases })),
      ];
    } finally {
      await Promise.all([redis?.stop(), postgres?.stop()]);
    }
  },
};

/** Skips the queues whose database cannot be started on this machine. */
async function started<D extends Database>(
  bench: Bench,
  peers: string,
  start: () => Promise<D>,
): Promise<D | null> {
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof Skipped)) throw error;
    bench.leaveOut(`${peers}, ${error.message}`);
    return null;
  }
}

/** Compares ours with the fastest queue of equal durability. */
function besideTheBest(enqueued: Figure[]): Figure {
  const same = enqueued.filter(
    ({ name, goal }) => name === "enqueue, 50 at once, in-process" && goal !== null,
  );
  const [best] = same.sort((one, other) => one.ratio.median - other.ratio.median);
  if (best === undefined) throw new Error("no durable peer was measured");
  return { ...best, name: "enqueue, 50 at once, against the best of them", goal: { atLeast: 3 } };
}
