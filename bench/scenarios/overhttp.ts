// Queues behind the same routes: our service, and a small server before each other queue.
import { join } from "node:path";
import { requestBytes } from "../load/connection.ts";
import { jobLoop } from "../load/jobs.ts";
import type { Bench, Figure } from "../measure.ts";
import type { Env } from "../peers/peer.ts";
import type { PeerName } from "../peers/registry.ts";
import {
  authorization,
  processorSecondsOfAll,
  type Running,
  startServer,
  startService,
  startSilentLyceum,
} from "../service.ts";
import { submissionBody, submissionRequest } from "./submit.ts";
import { type Arm, type Contest, compare } from "./ways.ts";

export interface Peers {
  names: PeerName[];
  env: Env;
  /** Processes of their databases. */
  databases: Partial<Record<PeerName, number[]>>;
}

export async function enqueueOverHttp(bench: Bench, peers: Peers): Promise<Figure[]> {
  const lyceum = await startSilentLyceum();
  const database = join(bench.directory, "route.db");
  const ours = await startService({ database, lyceumUrl: lyceum.url });
  const figures = await besideAll(bench, { kind: "enqueue", ...peers }, ours);
  lyceum.stop();
  return figures;
}

export async function processOverHttp(bench: Bench, peers: Peers): Promise<Figure[]> {
  const ours = await startService({
    database: join(bench.directory, "route-work.db"),
    main: join(import.meta.dirname, "../servers/instant.ts"),
    // Never called, because the instant Lyceum is in the service's process.
    lyceumUrl: "http://127.0.0.1:9",
    env: { SUBMIT_CONCURRENCY: "50" },
  });
  return besideAll(bench, { kind: "enqueue + process", ...peers, env: { ...peers.env, WORKED: "1" } }, ours);
}

async function besideAll(
  bench: Bench,
  { kind, names, env, databases }: { kind: Contest["kind"] } & Peers,
  ours: Running,
): Promise<Figure[]> {
  const running = [ours];
  const peers = new Map<PeerName, Arm>();
  const toArm = (server: Running, database: number[] = []) =>
    loading(server, [server.pid, ...database], kind === "enqueue" ? null : askForEnd);
  try {
    for (const name of names) {
      const peer = await startServer("queue", { ...env, PEER: name });
      running.push(peer);
      peers.set(name, toArm(peer, databases[name]));
    }
    return await compare(bench, { kind, layer: "over HTTP", ours: toArm(ours), peers });
  } finally {
    await Promise.all(running.map((server) => server.stop()));
  }
}

/** @param pids processes whose time counts, with all that they have started */
function loading({ port }: Running, pids: number[], whenEnded: ((job: string) => Buffer) | null): Arm {
  return async ({ atOnce, batch, seconds }) => {
    const body = submissionBody(batch);
    const submission = () => submissionRequest(body);
    const before = processorSecondsOfAll(pids);
    const { jobs, perSecond } = await jobLoop({ port, connections: atOnce, seconds, submission, whenEnded });
    const processorUs = ((processorSecondsOfAll(pids) - before) * 1e6) / (jobs * batch);
    return { perSecond: perSecond * batch, processorUs };
  };
}

function askForEnd(job: string): Buffer {
  return requestBytes("GET", `/v1/jobs/${job}?wait=60s`, { headers: authorization });
}
