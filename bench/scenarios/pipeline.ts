// From a submission to stored artifacts, compared with a typical hand-written worker.
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { Queue } from "bullmq";
import {
  alone,
  type Bench,
  type Figure,
  interleave,
  type Rounds,
  ratioOf,
  type Sample,
  type Scenario,
  Skipped,
} from "../measure.ts";
import { startRedis } from "../peers/redis.ts";
import { authorization, processorSecondsOfAll, type Running, startServer, startService } from "../service.ts";

export const pipeline: Scenario = {
  name: "pipeline",
  includes:
    "From the submission of 1,000 runs until all have ended and their record, timing, logs and metrics are stored; the " +
    "emulator answers at once, in a process of its own. Ours: one job, SUBMIT_CONCURRENCY=50, callbacks. Beside it a " +
    "BullMQ worker (concurrency 50, Redis with appendfsync always) that starts, polls each 100 ms, and fetches the same " +
    "documents once. It has no search for lost starts, no retries of documents, no proof that a log is whole. " +
    "Processor time is that of all processes but Lyceum's, the queue's Redis included. Bytes are those of our SQLite file " +
    "after the last round, less those of an empty one.",
  async run(bench) {
    const lyceum = await startServer("emulator", {}, "/__emulator");
    const lyceumUrl = `${lyceum.url}/api/v2/external`;
    const database = join(bench.directory, "pipeline.db");
    const ours = await startService({ database, lyceumUrl, env: { SUBMIT_CONCURRENCY: "50" } });
    const worker = await startWorker(bench, lyceumUrl);
    const runs = bench.size(1_000, 20);
    const empty = fileBytes(database);
    const warmUps = 4;
    let rounds: Rounds;
    try {
      const arms = {
        ours: () => measured(lyceum, [ours.pid], runs, () => throughService(ours, runs)),
        theirs: async () =>
          worker === null ? {} : measured(lyceum, worker.pids, runs, () => throughQueue(worker.queue, runs)),
      };
      rounds = await interleave(bench, `${runs} runs to their end`, arms, warmUps);
    } finally {
      await ours.stop();
      await worker?.stop();
      await lyceum.stop();
    }
    const bytes = (fileBytes(database) - empty) / (runs * (bench.rounds + warmUps));
    const disk = { name: "bytes on disk per settled run", unit: "B", goal: { atMost: 4_500 } };
    return [...(worker === null ? [] : besideWorker(rounds)), alone([bytes], disk)];
  },
};

function besideWorker(rounds: Rounds): Figure[] {
  const against = "BullMQ worker";
  const cost = { name: "processor time of a settled run", unit: "µs", against, goal: { atMost: 0.6 } };
  return [
    ratioOf(rounds, "perSecond", { name: "settled runs", unit: "/s", against, goal: { atLeast: 3 } }),
    ratioOf(rounds, "processorUs", cost),
    ratioOf(rounds, "calls", {
      ...{ name: "calls to Lyceum per run", unit: "", against },
      goal: { atMost: 0.99 },
    }),
  ];
}

/** Null, with a message, where there is no Redis. */
async function startWorker(bench: Bench, lyceumUrl: string) {
  const redis = await startRedis(bench.directory).catch((error) => {
    if (!(error instanceof Skipped)) throw error;
    bench.leaveOut(`the BullMQ worker, ${error.message}`);
    return null;
  });
  if (redis === null) return null;
  const env = { ...redis.env, LYCEUM_URL: lyceumUrl, QUEUE: "pipeline" };
  const worker = await startServer("bullworker", env);
  const queue = new Queue("pipeline", { connection: { port: redis.port, host: "127.0.0.1" } });
  return {
    queue,
    pids: [worker.pid, redis.pid],
    async stop() {
      await queue.close();
      await worker.stop();
      await redis.stop();
    },
  };
}

/** With the write-ahead log, which a service that has stopped leaves empty. */
function fileBytes(database: string): number {
  return [database, `${database}-wal`].reduce(
    (sum, file) => sum + (existsSync(file) ? statSync(file).size : 0),
    0,
  );
}

const image = {
  docker_image_ref: "python:3.13",
  docker_run_cmd: ["true"],
  execution_type: "cpu",
  timeout: 60,
};

async function measured(
  lyceum: Running,
  pids: number[],
  runs: number,
  work: () => Promise<void>,
): Promise<Sample> {
  const before = await calls(lyceum);
  const usedBefore = processorSecondsOfAll(pids);
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1000;
  return {
    perSecond: runs / seconds,
    processorUs: ((processorSecondsOfAll(pids) - usedBefore) * 1e6) / runs,
    calls: ((await calls(lyceum)) - before) / runs,
  };
}

async function throughService({ url }: Running, runs: number): Promise<void> {
  const body = JSON.stringify({ runs: Array.from({ length: runs }, () => ({ kind: "image", ...image })) });
  const headers = { ...authorization, "Content-Type": "application/json" };
  const answer = await fetch(`${url}/v1/jobs`, { method: "POST", headers, body });
  let job = (await answer.json()) as { id: string; status: string };
  while (job.status === "queued" || job.status === "active")
    job = (await (
      await fetch(`${url}/v1/jobs/${job.id}?wait=60s`, { headers: authorization })
    ).json()) as typeof job;
  if (job.status !== "succeeded") throw new Error(`the job ${job.status}`);
}

async function throughQueue(queue: Queue, runs: number): Promise<void> {
  const before = await queue.getCompletedCount();
  const jobs = Array.from({ length: runs }, (_, index) => ({
    name: "run",
    data: { ...image, enable_s3_mount: true, file_name: `bench ${index}` },
  }));
  await queue.addBulk(jobs);
  while ((await queue.getCompletedCount()) - before < runs) {
    if ((await queue.getFailedCount()) > 0) throw new Error("a job of the queue failed");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function calls({ url }: Running): Promise<number> {
  const state = (await (await fetch(`${url}/__emulator/state?limit=0`)).json()) as {
    call_counts: Record<string, number>;
  };
  return Object.values(state.call_counts).reduce((sum, count) => sum + count, 0);
}
