// One, two and four instances on one PostgreSQL, near and behind a proxy that delays each packet by 1 ms.
import { join } from "node:path";
import pg from "pg";
import { createClient } from "../../src/client/client.ts";
import { openWay, type Way } from "../../test/chaos/way.ts";
import { requestBytes } from "../load/connection.ts";
import { jobLoop } from "../load/jobs.ts";
import { closedLoop } from "../load/loop.ts";
import { type Bench, type Figure, interleave, ratioOf, type Sample, type Scenario } from "../measure.ts";
import { startPostgres } from "../peers/postgres.ts";
import {
  apiKey,
  authorization,
  post,
  type Running,
  startServer,
  startService,
  startSilentLyceum,
} from "../service.ts";
import { callbackRequest } from "./callbacks.ts";
import { submissionBody, submissionRequest } from "./submit.ts";

export const instances: Scenario = {
  name: "instances",
  includes:
    "The same 96 connections spread over one, two or four instances on one PostgreSQL with its defaults (every commit is " +
    "synced), and 96 connections to each of four. Submissions of one run each; callbacks of live executions in any " +
    "order, while Lyceum asks for an hour of patience, so that the checks that follow are not part of it; settled runs " +
    "from the submission to the answered wait, with a Lyceum inside each instance. The delayed arms reach the database " +
    "through a proxy that adds 1 ms each way. Before it is measured, each instance has been under load for as long as if " +
    "it were alone, because its compiler learns from its own share only. Arms take turns, but those of callbacks follow " +
    "each other: their instances still file what the last round left. All processes and the load share the machine's " +
    "cores.",
  async run(whole) {
    const bench = { ...whole, rounds: Math.min(whole.rounds, 4) };
    const postgres = await startPostgres();
    const figures: Figure[] = [];
    try {
      for (const delayMs of [1, 0].slice(0, bench.size(2, 1)))
        for (const kind of [submissions, callbacks, settledRuns])
          figures.push(...(await compare(bench, { postgres: postgres.url, delayMs, kind })));
      return figures;
    } finally {
      await postgres.stop();
    }
  },
};

const CONNECTIONS = 96;
const COUNTS = [1, 2, 4];
const MOST = 4;

interface Arm {
  name: string;
  count: number;
  /** To each instance. */
  connections: number;
}

function armsOf(count: number): Arm[] {
  const arm = (connections: number) => ({ name: `${count} x ${connections}`, count, connections });
  return count === MOST ? [arm(CONNECTIONS / count), arm(CONNECTIONS)] : [arm(CONNECTIONS / count)];
}

interface Kind {
  name: string;
  /** Rounds of load for each instance of a fleet. */
  warmUps: number;
  /** Starts an instance on the database. */
  start(databaseUrl: string, lyceumUrl: string): Promise<Running>;
  lyceum(): Promise<Lyceum>;
  /** Its instances are busy after a round. */
  leavesWork?: boolean;
  /** Prepares a fleet for rounds of load. */
  prepare(bench: Bench, fleet: Running[], lyceum: Lyceum): Promise<Load>;
}

/** Answers requests or runs a second. @param connections to each instance */
type Load = (connections: number) => Promise<number>;

interface Lyceum {
  url: string;
  stop(): unknown;
  /** The emulator's switches. */
  set?(chaos: object): Promise<unknown>;
}

interface Comparison {
  postgres: string;
  delayMs: number;
  kind: Kind;
}

async function compare(bench: Bench, comparison: Comparison): Promise<Figure[]> {
  const { delayMs, kind } = comparison;
  const counts = COUNTS.slice(0, bench.size(3, 2));
  const where = delayMs === 0 ? "near" : `+${delayMs} ms each way`;
  const lyceum = await kind.lyceum();
  const groups = kind.leavesWork ? counts.map((count) => [count]) : [counts];
  const rounds: Record<string, Sample[]> = {};
  try {
    for (const group of groups) {
      const fleets: Fleet[] = [];
      try {
        for (const count of group) fleets.push(await startFleet(bench, comparison, { lyceum, count, where }));
        const arms = fleets.flatMap(({ count, load }) =>
          armsOf(count).map(({ name, connections }) => {
            return [name, async (): Promise<Sample> => ({ perSecond: await load(connections) })] as const;
          }),
        );
        Object.assign(rounds, await interleave(bench, `${kind.name}, ${where}`, Object.fromEntries(arms)));
      } finally {
        await Promise.all(fleets.map(({ stop }) => stop()));
      }
    }
  } finally {
    await lyceum.stop();
  }
  const [one, ...others] = counts.flatMap(armsOf);
  const samplesOf = (arm: Arm | undefined) => rounds[arm?.name ?? ""] ?? [];
  return others.map((arm) => {
    const { count, connections } = arm;
    const isSameLoad = count * connections === CONNECTIONS;
    return ratioOf({ ours: samplesOf(arm), theirs: samplesOf(one) }, "perSecond", {
      name: `${kind.name}, ${count} instances${isSameLoad ? "" : " with as much load each"}, ${where}`,
      unit: "/s",
      against: "one instance",
      goal: count === MOST && isSameLoad ? { atLeast: delayMs === 0 ? 0.9 : 2 } : null,
    });
  });
}

interface Fleet {
  count: number;
  load: Load;
  stop(): Promise<void>;
}

/** Its instances have been under load. */
async function startFleet(
  bench: Bench,
  { postgres, delayMs, kind }: Comparison,
  { lyceum, count, where }: { lyceum: Lyceum; count: number; where: string },
): Promise<Fleet> {
  const database = await createDatabase(postgres, `${kind.name.replace(/\W/g, "_")}_${delayMs}_${count}`);
  const ways: Way[] = [];
  const instances: Running[] = [];
  const stop = async () => {
    await Promise.all(instances.map((instance) => instance.stop()));
    for (const way of ways) way.close();
  };
  try {
    for (let nth = 0; nth < count; nth++) {
      const url = new URL(database);
      if (delayMs > 0) {
        const way = await openWay(Number(database.port));
        way.setDelay(delayMs);
        ways.push(way);
        url.port = String(way.port);
      }
      instances.push(await kind.start(url.href, lyceum.url));
    }
    const load = await kind.prepare(bench, instances, lyceum);
    const warmUps = count * bench.size(kind.warmUps, 1);
    for (let nth = 1; nth <= warmUps; nth++) {
      bench.progress(`${kind.name}, ${where}, ${count} warming up, ${nth} of ${warmUps}`);
      await load(CONNECTIONS / count);
    }
    return { count, load, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const submissions: Kind = {
  name: "submissions",
  warmUps: 3,
  start: (databaseUrl, lyceumUrl) => startInstance(databaseUrl, { lyceumUrl }),
  lyceum: startSilentLyceum,
  async prepare({ seconds }, fleet) {
    return (connections) =>
      sum(fleet, ({ port }) =>
        closedLoop({
          port,
          seconds,
          connections,
          next: () => submissionRequest(),
        }),
      );
  },
};

const callbacks: Kind = {
  name: "callbacks",
  warmUps: 3,
  start: (databaseUrl, lyceumUrl) => startInstance(databaseUrl, { lyceumUrl }),
  leavesWork: true,
  async lyceum() {
    const emulator = await startServer("emulator", {}, "/__emulator");
    const set = (chaos: object) => post(`${emulator.url}/__emulator/chaos`, chaos);
    return { url: `${emulator.url}/api/v2/external`, stop: emulator.stop, set };
  },
  async prepare(bench, fleet, lyceum) {
    await lyceum.set?.({ delay: "1h", throttle: {} });
    const requests = (await liveExecutions(fleet, bench.size(4_000, 40))).map(callbackRequest);
    await lyceum.set?.({ delay: "1h", throttle: { others: 1 }, retry_in: "1h" });
    let sent = 0;
    // A step that shares no factor with the count visits every execution before the first comes again.
    const next = () => requests[(sent++ * 1_657) % requests.length] as Buffer;
    const { seconds } = bench;
    return (connections) => sum(fleet, ({ port }) => closedLoop({ port, seconds, connections, next }));
  },
};

const settledRuns: Kind = {
  name: "settled runs",
  warmUps: 6,
  start: (databaseUrl) =>
    startInstance(databaseUrl, {
      main: join(import.meta.dirname, "../servers/instant.ts"),
      // Never called, because the instant Lyceum is in the service's process.
      lyceumUrl: "http://127.0.0.1:9",
    }),
  lyceum: async () => ({ url: "", stop() {} }),
  async prepare({ seconds }, fleet) {
    const body = submissionBody(1);
    const whenEnded = (job: string) =>
      requestBytes("GET", `/v1/jobs/${job}?wait=60s`, { headers: authorization });
    const submission = () => submissionRequest(body);
    return (connections) =>
      sum(fleet, ({ port }) => jobLoop({ port, connections, seconds, submission, whenEnded }));
  },
};

function startInstance(databaseUrl: string, { lyceumUrl, main }: { lyceumUrl: string; main?: string }) {
  const env = { DATABASE_URL: databaseUrl, SUBMIT_CONCURRENCY: "64" };
  return startService({ database: "", lyceumUrl, env, ...(main === undefined ? {} : { main }) });
}

async function sum(fleet: Running[], load: (instance: Running) => Promise<{ perSecond: number }>) {
  const loads = await Promise.all(fleet.map(load));
  return loads.reduce((total, { perSecond }) => total + perSecond, 0);
}

/** Submits runs that outlast a round, and answers the ids of their executions once all are accepted. */
async function liveExecutions([first]: Running[], count: number): Promise<string[]> {
  const client = createClient({ url: first?.url ?? "", apiKey });
  const runs = Array.from({ length: count }, () => ({
    kind: "python" as const,
    code: "pass",
    timeout: 600,
  }));
  const { id } = await client.submit({ runs });
  for (;;) {
    const live: string[] = [];
    for await (const { executions } of client.runs(id, { status: "active", limit: 1_000 }))
      for (const { id, accepted_at } of executions) if (accepted_at !== null) live.push(id);
    if (live.length === count) return live;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function createDatabase(serverUrl: string, name: string): Promise<URL> {
  const client = new pg.Client(serverUrl);
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url;
}
