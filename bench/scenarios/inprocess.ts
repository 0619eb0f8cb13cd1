// Queues in the bench's own process: ours consists of store and use cases, without HTTP.
import { join } from "node:path";
import type { Bench, Figure } from "../measure.ts";
import { openOurs, workOurs } from "../peers/ours.ts";
import type { Env, WorkedPeer } from "../peers/peer.ts";
import { openPeer, openWorkedPeer, type PeerName } from "../peers/registry.ts";
import { type Arm, compare } from "./ways.ts";

export async function enqueueInProcess(bench: Bench, names: PeerName[], env: Env): Promise<Figure[]> {
  const ours = await openOurs(join(bench.directory, "peers.db"));
  const peers = await openAll(names, (name) => openPeer(name, env));
  const arms = mapped(peers, ({ enqueue }) => filling(enqueue));
  const contest = { kind: "enqueue", layer: "in-process", ours: filling(ours.enqueue), peers: arms } as const;
  try {
    return await compare(bench, contest);
  } finally {
    for (const queue of [ours, ...peers.values()]) await queue.close();
  }
}

export async function processInProcess(bench: Bench, names: PeerName[], env: Env): Promise<Figure[]> {
  const ours = await workOurs(join(bench.directory, "peers-work.db"));
  const peers = await openAll(names, (name) => openWorkedPeer(name, env));
  const toTheEnd = ({ enqueue }: WorkedPeer) => filling(async (jobs) => (await enqueue(jobs)).finished);
  const arms = { ours: toTheEnd(ours), peers: mapped(peers, toTheEnd) };
  try {
    return await compare(bench, { kind: "enqueue + process", layer: "in-process", ...arms });
  } finally {
    for (const queue of [ours, ...peers.values()]) await queue.close();
  }
}

async function openAll<T>(
  names: PeerName[],
  open: (name: PeerName) => Promise<T>,
): Promise<Map<PeerName, T>> {
  const peers = new Map<PeerName, T>();
  for (const name of names) peers.set(name, await open(name));
  return peers;
}

function mapped<T>(peers: Map<PeerName, T>, toArm: (peer: T) => Arm): Map<PeerName, Arm> {
  return new Map([...peers].map(([name, peer]) => [name, toArm(peer)]));
}

/** @param bring resolves once the jobs are accepted, or finished */
function filling(bring: (jobs: object[]) => Promise<unknown>): Arm {
  return async ({ atOnce, batch, seconds }) => {
    const jobs = Array.from({ length: batch }, (_, index) => ({ index, code: "print(1 + 1)" }));
    const startedAt = performance.now();
    let brought = 0;
    const feed = async () => {
      do {
        await bring(jobs);
        brought += batch;
      } while (performance.now() - startedAt < seconds * 1000);
    };
    await Promise.all(Array.from({ length: atOnce }, feed));
    return { perSecond: (brought * 1000) / (performance.now() - startedAt) };
  };
}
