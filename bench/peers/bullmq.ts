// BullMQ: its worker takes 50 jobs at once and reports an end after Redis has stored it.
import { Queue, Worker } from "bullmq";
import type { Env, JobTickets, Peer, Ticketed } from "./peer.ts";

export function openBullmq(env: Env): Promise<Peer> {
  return openQueue(env, "bench");
}

export async function workBullmq(env: Env, tickets: JobTickets): Promise<Peer> {
  const { enqueue, close } = await openQueue(env, "work");
  const worker = new Worker<Ticketed>("work", async () => {}, {
    connection: { ...connectionOf(env), maxRetriesPerRequest: null },
    concurrency: 50,
  });
  worker.on("error", () => {});
  worker.on("completed", (job) => tickets.end(job.data.ticket));
  await worker.waitUntilReady();
  return { enqueue, close: () => worker.close().then(close) };
}

async function openQueue(env: Env, name: string): Promise<Peer> {
  const queue = new Queue(name, { connection: connectionOf(env) });
  await queue.waitUntilReady();
  const enqueue = (jobs: object[]) =>
    jobs.length === 1
      ? queue.add("job", jobs[0])
      : queue.addBulk(jobs.map((data) => ({ name: "job", data })));
  return { enqueue, close: () => queue.close() };
}

function connectionOf({ REDIS_PORT }: Env) {
  return { port: Number(REDIS_PORT), host: "127.0.0.1" };
}
