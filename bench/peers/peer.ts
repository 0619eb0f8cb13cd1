// The queues that are compared with the service, each used as its own documentation recommends. They accept jobs durably
// and, with their worker, finish them durably.
import type { Tickets } from "./tickets.ts";

/** A queue without a worker. */
export interface Peer {
  /** Resolves once all jobs are accepted. */
  enqueue(jobs: object[]): Promise<unknown>;
  close(): Promise<void>;
}

/** A queue with a worker in this process, whose handler does nothing. */
export interface WorkedPeer extends Peer {
  enqueue(jobs: object[]): Promise<{ finished: Promise<void> }>;
}

/** Names the databases. */
export type Env = Record<string, string | undefined>;

/** Jobs carry the ticket that ends once they are durably finished. */
export type JobTickets = Tickets<number>;
export interface Ticketed {
  ticket: number;
}
