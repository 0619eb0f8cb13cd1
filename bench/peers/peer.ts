// The queues that stand beside the service, each as its own documentation uses it: what one is asked is to take jobs
// durably, one or many, and to tell when they are taken.
import { join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { Queue } from "bullmq";
import { makeWorkerUtils } from "graphile-worker";
import { PgBoss } from "pg-boss";
import { better, defineQueue } from "plainjob";

export interface Peer {
  /** Resolves once all of them are taken. */
  enqueue(jobs: object[]): Promise<unknown>;
  close(): Promise<void>;
}

export type PeerName = keyof typeof openers;
export const peerNames = ["bullmq", "pgboss", "graphile", "plainjob", "plainjobFull"] as const;

export function openPeer(name: PeerName, env: Record<string, string | undefined>): Promise<Peer> {
  return openers[name](env);
}

type Env = Record<string, string | undefined>;

const openers = { bullmq, pgboss, graphile, plainjob, plainjobFull };

async function bullmq({ REDIS_PORT }: Env): Promise<Peer> {
  const queue = new Queue("bench", { connection: { port: Number(REDIS_PORT), host: "127.0.0.1" } });
  await queue.waitUntilReady();
  const enqueue = (jobs: object[]) =>
    jobs.length === 1
      ? queue.add("job", jobs[0])
      : queue.addBulk(jobs.map((data) => ({ name: "job", data })));
  return { enqueue, close: () => queue.close() };
}

async function pgboss({ POSTGRES_URL = "" }: Env): Promise<Peer> {
  const boss = new PgBoss(POSTGRES_URL);
  boss.on("error", () => {});
  await boss.start();
  await boss.createQueue("bench");
  const enqueue = ([first = {}, ...others]: object[]): Promise<unknown> =>
    others.length === 0
      ? boss.send("bench", first)
      : boss.insert(
          "bench",
          [first, ...others].map((data) => ({ data })),
        );
  return { enqueue, close: () => boss.stop({ graceful: false }) };
}

async function graphile({ POSTGRES_URL = "" }: Env): Promise<Peer> {
  const worker = await makeWorkerUtils({ connectionString: POSTGRES_URL });
  await worker.migrate();
  const enqueue = (jobs: object[]): Promise<unknown> =>
    jobs.length === 1
      ? worker.addJob("bench", jobs[0])
      : worker.addJobs(jobs.map((payload) => ({ identifier: "bench", payload })));
  return { enqueue, close: async () => worker.release() };
}

function plainjob(env: Env): Promise<Peer> {
  return openPlainjob(env, "plainjob", null);
}

function plainjobFull(env: Env): Promise<Peer> {
  return openPlainjob(env, "plainjob-full", "synchronous = FULL");
}

async function openPlainjob({ DIRECTORY = "" }: Env, name: string, pragma: string | null): Promise<Peer> {
  const database = new SqliteDatabase(join(DIRECTORY, `${name}.db`));
  const silent = { error() {}, warn() {}, info() {}, debug() {} };
  const queue = defineQueue({ connection: better(database), logger: silent });
  // After the queue was made: it sets NORMAL itself.
  if (pragma !== null) database.pragma(pragma);
  const enqueue = async (jobs: object[]) =>
    jobs.length === 1 ? queue.add("bench", jobs[0]) : queue.addMany("bench", jobs);
  return { enqueue, close: async () => queue.close() };
}
