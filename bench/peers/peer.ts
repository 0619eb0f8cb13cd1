// The queues that stand beside the service, each as its own documentation uses it: what one is asked is to take jobs
// durably, one or many, and to tell when they are taken; and, with its worker, when they are durably finished.
import { openBullmq, workBullmq } from "./bullmq.ts";
import { openGraphile, workGraphile } from "./graphile.ts";
import { openPgboss, workPgboss } from "./pgboss.ts";
import { openPlainjob, openPlainjobFull, workPlainjob, workPlainjobFull } from "./plainjob.ts";
import { createTickets, type Tickets } from "./tickets.ts";

/** A queue that nobody works on. */
export interface Peer {
  /** Resolves once all of them are taken. */
  enqueue(jobs: object[]): Promise<unknown>;
  close(): Promise<void>;
}

/** A queue with its worker, whose handler does nothing, in this process. */
export interface WorkedPeer extends Peer {
  enqueue(jobs: object[]): Promise<{ finished: Promise<void> }>;
}

/** Where to find the databases. */
export type Env = Record<string, string | undefined>;
export type PeerName = keyof typeof peers;

const peers = {
  bullmq: { open: openBullmq, work: workBullmq },
  pgboss: { open: openPgboss, work: workPgboss },
  graphile: { open: openGraphile, work: workGraphile },
  plainjob: { open: openPlainjob, work: workPlainjob },
  plainjobFull: { open: openPlainjobFull, work: workPlainjobFull },
};

export const peerNames = Object.keys(peers) as PeerName[];

/** plainjob as it comes may lose what it took when the power fails. */
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

/** What a queue with a worker is given: jobs that carry the ticket to be ended once they are durably finished. */
export type JobTickets = Tickets<number>;
export interface Ticketed {
  ticket: number;
}
