// plainjob with its default (synchronous=NORMAL) and with FULL. Its worker takes one job at a time and polls a thousand
// times a second.
import { join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { better, defineQueue, defineWorker, type Queue } from "plainjob";
import type { Env, JobTickets, Peer, Ticketed } from "./peer.ts";

export const openPlainjob = async (env: Env) => toPeer(openQueue(env, "plainjob"));
export const openPlainjobFull = async (env: Env) => toPeer(openQueue(env, "plainjob-full", FULL));
export const workPlainjob = async (env: Env, tickets: JobTickets) =>
  work(openQueue(env, "plainjob-work"), tickets);
export const workPlainjobFull = async (env: Env, tickets: JobTickets) =>
  work(openQueue(env, "plainjob-full-work", FULL), tickets);

const FULL = "synchronous = FULL";
const silent = { error() {}, warn() {}, info() {}, debug() {} };

function openQueue({ DIRECTORY = "" }: Env, name: string, pragma?: string): Queue {
  const database = new SqliteDatabase(join(DIRECTORY, `${name}.db`));
  const queue = defineQueue({ connection: better(database), logger: silent });
  // After `defineQueue`, which sets NORMAL.
  if (pragma !== undefined) database.pragma(pragma);
  return queue;
}

function toPeer(queue: Queue): Peer {
  const enqueue = async (jobs: object[]) =>
    jobs.length === 1 ? queue.add("bench", jobs[0]) : queue.addMany("bench", jobs);
  return { enqueue, close: async () => queue.close() };
}

/** The worker polls only while jobs arrive: an idle worker would slow the other arms. */
function work(queue: Queue, tickets: JobTickets): Peer {
  const { enqueue, close } = toPeer(queue);
  let stop = async () => {};
  let isRunning = false;
  let idle: NodeJS.Timeout;
  const pause = () => {
    clearTimeout(idle);
    isRunning = false;
    return stop();
  };
  return {
    enqueue(jobs) {
      clearTimeout(idle);
      idle = setTimeout(pause, 100);
      if (!isRunning) stop = startWorker(queue, tickets);
      isRunning = true;
      return enqueue(jobs);
    },
    close: () => pause().then(close),
  };
}

function startWorker(queue: Queue, tickets: JobTickets): () => Promise<void> {
  const worker = defineWorker("bench", () => {}, {
    queue,
    logger: silent,
    pollIntervall: 1,
    onCompleted: ({ data }) => tickets.end((JSON.parse(data) as Ticketed).ticket),
  });
  const ended = worker.start();
  return () => worker.stop().then(() => ended);
}
