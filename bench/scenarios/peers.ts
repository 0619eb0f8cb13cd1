// Durable enqueueing beside other queues, each at the same layer: in-process against our store, and behind the same
// route against our API.
import { join } from "node:path";
import { closedLoop } from "../load/loop.ts";
import { type Bench, type Figure, interleave, ratioOf, type Sample, type Scenario } from "../measure.ts";
import { openPeer, type Peer, peerNames } from "../peers/peer.ts";
import { startPostgres } from "../peers/postgres.ts";
import { startRedis } from "../peers/redis.ts";
import { startServer, startService, startSilentLyceum } from "../service.ts";
import { openOurs } from "./ours.ts";
import { submissionRequest } from "./submit.ts";

export const peers: Scenario = {
  name: "peers",
  includes:
    "Enqueueing alone, jobs per second. Ours writes job, run, spec, events and idempotency key and syncs before it says " +
    "so; a batch is one job of so many runs. BullMQ on Redis with appendfsync always, pg-boss and graphile-worker on " +
    "PostgreSQL as it comes sync each commit; plainjob as shipped runs synchronous=NORMAL and may lose what it took " +
    "when the power fails, and is shown with FULL, too. None of them keeps events, or checks what it is given.",
  async run(bench) {
    const redis = await startRedis(bench.directory);
    const postgres = await startPostgres();
    const env = { ...redis.env, ...postgres.env, DIRECTORY: bench.directory };
    try {
      const figures: Figure[] = [];
      const ours = await openOurs(join(bench.directory, "peers.db"));
      for (const name of peerNames) {
        const peer = await openPeer(name, env);
        figures.push(...(await inProcess(bench, name, ours, peer)));
        await peer.close();
      }
      await ours.close();
      for (const name of peerNames) figures.push(await behindRoute(bench, name, env));
      return figures;
    } finally {
      await Promise.all([redis.stop(), postgres.stop()]);
    }
  },
};

const ways = [
  { way: "one at a time", atOnce: 1, batch: 1 },
  { way: "50 at once", atOnce: 50, batch: 1 },
  { way: "batches of 100", atOnce: 1, batch: 100 },
  { way: "batches of 1,000", atOnce: 1, batch: 1_000 },
];

async function inProcess(bench: Bench, name: string, ours: Peer, peer: Peer): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const { way, atOnce, batch } of ways) {
    const arm = (queue: Peer) => () => fill(queue, { atOnce, batch, seconds: bench.seconds / 4 });
    const arms = { ours: arm(ours), theirs: arm(peer) };
    const rounds = await interleave(bench, `enqueue beside ${name}, ${way}`, arms);
    const figure = { name: `enqueue, ${way}, in-process`, unit: "/s", against: name, goal: null };
    figures.push(ratioOf(rounds, "perSecond", figure));
  }
  return figures;
}

async function fill(
  queue: Peer,
  { atOnce, batch, seconds }: { atOnce: number; batch: number; seconds: number },
): Promise<Sample> {
  const jobs = Array.from({ length: batch }, (_, index) => ({ index, code: "print(1 + 1)" }));
  const startedAt = performance.now();
  let taken = 0;
  const feed = async () => {
    do {
      await queue.enqueue(jobs);
      taken += batch;
    } while (performance.now() - startedAt < seconds * 1000);
  };
  await Promise.all(Array.from({ length: atOnce }, feed));
  return { perSecond: (taken * 1000) / (performance.now() - startedAt) };
}

async function behindRoute(bench: Bench, name: string, env: Record<string, string>): Promise<Figure> {
  const lyceum = await startSilentLyceum();
  const ours = await startService({
    database: join(bench.directory, `route-${name}.db`),
    lyceumUrl: lyceum.url,
  });
  const peer = await startServer("queue", { ...env, PEER: name });
  const arm = (port: number) => () =>
    closedLoop({ port, connections: 50, seconds: bench.seconds / 2, next: submissionRequest });
  const arms = { ours: arm(ours.port), theirs: arm(peer.port) };
  try {
    await arms.ours();
    await arms.theirs();
    const rounds = await interleave(bench, `enqueue beside ${name} behind the same route`, arms);
    const figure = { name: "enqueue, 50 connections, over HTTP", unit: "/s", against: name, goal: null };
    return ratioOf(rounds, "perSecond", figure);
  } finally {
    lyceum.stop();
    await Promise.all([ours.stop(), peer.stop()]);
  }
}
