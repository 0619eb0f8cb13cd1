// The table of the compared queues.
import { openBullmq, workBullmq } from "./bullmq.ts";
import { openGraphile, workGraphile } from "./graphile.ts";
import type { Env, Peer, WorkedPeer } from "./peer.ts";
import { openPgboss, workPgboss } from "./pgboss.ts";
import { openPlainjob, openPlainjobFull, workPlainjob, workPlainjobFull } from "./plainjob.ts";
import { createTickets } from "./tickets.ts";

export type PeerName = keyof typeof peers;

const peers = {
  bullmq: { open: openBullmq, work: workBullmq },
  pgboss: { open: openPgboss, work: workPgboss },
  graphile: { open: openGraphile, work: workGraphile },
  plainjob: { open: openPlainjob, work: workPlainjob },
  plainjobFull: { open: openPlainjobFull, work: workPlainjobFull },
};

export const peerNames = Object.keys(peers) as PeerName[];

/** With its defaults plainjob may lose accepted jobs in a power failure. */
export function isDurable(name: PeerName): boolean {
  return name !== "plainjob";
}

export function openPeer(name: PeerName, env: Env): Promise<Peer> {
  return peers[name].open(env);
}

export async function openWorkedPeer(name: PeerName, env: Env): Promise<WorkedPeer> {
  const tickets = createTickets<number>();
  const queue = await peers[name].work(env, tickets);
  let last = 0;
  return {
    async enqueue(jobs) {
      const ticket = ++last;
      const finished = tickets.take(ticket, jobs.length);
      await queue.enqueue(jobs.map((job) => ({ ...job, ticket })));
      return { finished };
    },
    close: queue.close,
  };
}
