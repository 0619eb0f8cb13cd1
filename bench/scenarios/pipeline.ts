// From a submission to stored artifacts, compared with a typical hand-written worker.
import { join } from "node:path";
import { Queue } from "bullmq";
import { interleave, ratioOf, type Sample, type Scenario } from "../measure.ts";
import { startRedis } from "../peers/redis.ts";
import { authorization, type Running, startServer, startService } from "../service.ts";

export const pipeline: Scenario = {
  name: "pipeline",
  includes:
    "From the submission of 1,000 runs until all have ended and their record, timing, logs and metrics are stored; the " +
    "emulator answers at once, in a process of its own. Ours: one job, SUBMIT_CONCURRENCY=50, callbacks. Beside it a " +
    "BullMQ worker (concurrency 50, Redis with appendfsync always) that starts, polls each 100 ms, and fetches the same " +
    "documents once. It has no search for lost starts, no retries of documents, no proof that a log is whole.",
  async run(bench) {
    const redis = await startRedis(bench.directory);
    const lyceum = await startServer("emulator", {}, "/__emulator");
    const lyceumUrl = `${lyceum.url}/api/v2/external`;
    const database = join(bench.directory, "pipeline.db");
    const ours = await startService({ database, lyceumUrl, env: { SUBMIT_CONCURRENCY: "50" } });
    const worker = await startServer("bullworker", {
      ...redis.env,
      LYCEUM_URL: lyceumUrl,
      QUEUE: "pipeline",
    });
    const queue = new Queue("pipeline", { connection: { port: redis.port, host: "127.0.0.1" } });
    const runs = bench.size(1_000, 20);
    try {
      const arms = {
        ours: () => measured(lyceum, runs, () => throughService(ours, runs)),
        theirs: () => measured(lyceum, runs, () => throughQueue(queue, runs)),
      };
      const rounds = await interleave(bench, `${runs} runs to their end`, arms, 4);
      const against = "BullMQ worker";
      const speed = { name: "settled runs", unit: "/s", against, goal: { atLeast: 3 } };
      const calls = { name: "calls to Lyceum per run", unit: "", against, goal: { atMost: 0.99 } };
      return [ratioOf(rounds, "perSecond", speed), ratioOf(rounds, "calls", calls)];
    } finally {
      await queue.close();
      await Promise.all([ours.stop(), worker.stop()]);
      await Promise.all([lyceum.stop(), redis.stop()]);
    }
  },
};

const image = {
  docker_image_ref: "python:3.13",
  docker_run_cmd: ["true"],
  execution_type: "cpu",
  timeout: 60,
};

async function measured(lyceum: Running, runs: number, work: () => Promise<void>): Promise<Sample> {
  const before = await calls(lyceum);
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1000;
  return { perSecond: runs / seconds, calls: ((await calls(lyceum)) - before) / runs };
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
