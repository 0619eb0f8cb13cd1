// Queues behind the same routes: our service, and a small server before each other queue.
import { join } from "node:path";
import { requestBytes } from "../load/connection.ts";
import { jobLoop } from "../load/jobs.ts";
import type { Bench, Figure } from "../measure.ts";
import type { Env } from "../peers/peer.ts";
import type { PeerName } from "../peers/registry.ts";
import { authorization, type Running, startServer, startService, startSilentLyceum } from "../service.ts";
import { submissionBody, submissionRequest } from "./submit.ts";
import { type Arm, type Contest, compare } from "./ways.ts";

export async function enqueueOverHttp(bench: Bench, names: PeerName[], env: Env): Promise<Figure[]> {
  const lyceum = await startSilentLyceum();
  const database = join(bench.directory, "route.db");
  const ours = await startService({ database, lyceumUrl: lyceum.url });
  const figures = await besideAll(bench, { kind: "enqueue", names, env }, ours);
  lyceum.stop();
  return figures;
}

export async function processOverHttp(bench: Bench, names: PeerName[], env: Env): Promise<Figure[]> {
  const ours = await startService({
    database: join(bench.directory, "route-work.db"),
    main: join(import.meta.dirname, "../servers/instant.ts"),
    // Never called, because the instant Lyceum is in the service's process.
    lyceumUrl: "http://127.0.0.1:9",
    env: { SUBMIT_CONCURRENCY: "50" },
  });
  return besideAll(bench, { kind: "enqueue + process", names, env: { ...env, WORKED: "1" } }, ours);
}

async function besideAll(
  bench: Bench,
  { kind, names, env }: { kind: Contest["kind"]; names: PeerName[]; env: Env },
  ours: Running,
): Promise<Figure[]> {
  const running = [ours];
  const peers = new Map<PeerName, Arm>();
  const toArm = (server: Running) => loading(server, kind === "enqueue" ? null : askForEnd);
  try {
    for (const name of names) {
      const peer = await startServer("queue", { ...env, PEER: name });
      running.push(peer);
      peers.set(name, toArm(peer));
    }
    return await compare(bench, { kind, layer: "over HTTP", ours: toArm(ours), peers });
  } finally {
    await Promise.all(running.map((server) => server.stop()));
  }
}

function loading({ port }: Running, whenEnded: ((job: string) => Buffer) | null): Arm {
  return async ({ atOnce, batch, seconds }) => {
    const body = submissionBody(batch);
    const submission = () => submissionRequest(body);
    const { perSecond } = await jobLoop({ port, connections: atOnce, seconds, submission, whenEnded });
    return { perSecond: perSecond * batch };
  };
}

function askForEnd(job: string): Buffer {
  return requestBytes("GET", `/v1/jobs/${job}?wait=60s`, { headers: authorization });
}
