// Our store as a queue: the use case behind POST /v1/jobs, without HTTP.
import { openContext, submitter } from "../context.ts";
import { startLives } from "./life.ts";
import type { Peer, WorkedPeer } from "./peer.ts";
import { createTickets } from "./tickets.ts";

export async function openOurs(path: string): Promise<Peer> {
  const context = await openContext(path);
  return { enqueue: submitter(context), close: () => context.store.close() };
}

/** Takes each submitted run to its end at once. */
export async function workOurs(path: string): Promise<WorkedPeer> {
  const context = await openContext(path);
  const tickets = createTickets<string>();
  const idle = startLives(context, ({ jobId }) => tickets.end(jobId));
  const submitRuns = submitter(context);
  return {
    enqueue: async (jobs) => ({ finished: tickets.take(await submitRuns(jobs), jobs.length) }),
    close: () => idle().then(() => context.store.close()),
  };
}
