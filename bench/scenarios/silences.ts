// The longest silence that another connection sees while the service does long work.
import { statSync } from "node:fs";
import { join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { longestSilence } from "../load/silence.ts";
import { alone, type Bench, type Figure, type Scenario } from "../measure.ts";
import { addRuns, createDatabase, jobId } from "../rows.ts";
import { authorization, type Running, startService, startSilentLyceum } from "../service.ts";
import { submissionBody } from "./submit.ts";

export const silences: Scenario = {
  name: "silences",
  includes:
    "The longest time from a request of /livez to its answer, asked each millisecond by a connection of its own, with " +
    "500,000 ended jobs in the database. Lists are asked with filters that match nothing, one page each. The deleted job " +
    "and the pruned one have 10,000 runs each with executions, events, callbacks and artifacts; the time lasts until no row " +
    "of them is left. The submission lists 10,000 runs. The idle service shows how quiet the machine is.",
  async run(bench) {
    const database = join(bench.directory, "silences.db");
    const runs = bench.size(10_000, 400);
    const rounds = Math.min(bench.rounds, 3);
    await prepare(bench, { database, runs, rounds });
    const lyceum = await startSilentLyceum();
    const env = { SUBMIT_LIMIT: "1/1h" };
    const ours = await startService({ database, lyceumUrl: lyceum.url, env });
    const wal = watchWal(database);
    try {
      const pruned = await longestSilence(ours.port, () => isGone(database, OLD_JOB));
      const measured = async (what: string, work: (round: number) => Promise<unknown>): Promise<number[]> => {
        const values: number[] = [];
        for (let round = 0; round < rounds; round++) {
          bench.progress(`longest silence, ${what}, round ${round + 1}`);
          values.push(await longestSilence(ours.port, () => work(round)));
        }
        return values;
      };
      const csv = { ...authorization, Accept: "text/csv" };
      const toResults = (round: number) => get(ours, `/v1/jobs/${bigJob(round)}/results`, csv);
      const idle = await measured("idle", () => pause(bench.size(1_000, 50)));
      const lists = await measured("lists", () => readLists(ours));
      const results = await measured("CSV", toResults);
      const deleted = await measured("delete", (round) => remove(ours, database, bigJob(round)));
      const walMiB = wal.largest();
      const submitted = await measured("submission", () => submit(ours, runs));
      return [
        figure("idle service", idle, null),
        figure("filtered lists", lists, 50),
        figure("CSV of 10,000 runs", results, 50),
        figure("delete of 10,000 runs", deleted, 50),
        figure("prune of 10,000 runs", [pruned], 50),
        figure("submission of 10,000 runs", submitted, 150),
        alone([walMiB], { name: "WAL across deletes and a prune", unit: "MiB", goal: { atMost: 16 } }),
      ];
    } finally {
      wal.stop();
      lyceum.stop();
      await ours.stop();
    }
  },
};

function figure(what: string, values: number[], atMost: number | null): Figure {
  const goal = atMost === null ? null : { atMost };
  return alone(values, { name: `longest silence, ${what}`, unit: "ms", goal });
}

/** Far above the numbers of the small jobs, whose ids must differ. */
const BIG = 1_000_000;
const bigJob = (nth: number) => jobId(BIG + nth);
const OLD_JOB = jobId(2 * BIG);
const RETENTION_MS = 30 * 86_400_000;

async function prepare(
  bench: Bench,
  { database, runs, rounds }: { database: string; runs: number; rounds: number },
): Promise<void> {
  const jobs = bench.size(500_000, 1_000);
  bench.progress(`silences: ${jobs} ended jobs`);
  await createDatabase(database);
  await addRuns(database, "ended", { from: 0, count: jobs, runsPerJob: 1 });
  const big = { count: runs, runsPerJob: runs, whole: true };
  for (let nth = 0; nth < rounds; nth++)
    await addRuns(database, "ended", { ...big, from: (BIG + nth) * runs });
  await addRuns(database, "ended", { ...big, from: 2 * BIG * runs, agoMs: RETENTION_MS + 86_400_000 });
}

const filters = [
  "jobs?status=failed",
  "jobs?name=absent",
  "jobs?status=succeeded&name=absent",
  "jobs?status=queued",
  "runs?status=failed",
  "runs?name=absent",
  "runs?kind=compose",
  "runs?hardware=gpu.none",
  "runs?error_code=timeout",
  "callbacks?disposition=late",
];

async function readLists(ours: Running): Promise<void> {
  for (const filter of filters) await get(ours, `/v1/${filter}`);
}

async function get(
  { url }: Running,
  path: string,
  headers: Record<string, string> = authorization,
): Promise<void> {
  const answer = await fetch(url + path, { headers });
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
}

async function remove({ url }: Running, database: string, job: string): Promise<void> {
  const answer = await fetch(`${url}/v1/jobs/${job}`, { method: "DELETE", headers: authorization });
  if (answer.status !== 204) throw new Error(`the deletion answered ${answer.status}`);
  await isGone(database, job);
}

async function isGone(database: string, job: string): Promise<void> {
  const reader = new SqliteDatabase(database, { readonly: true });
  const isThere = reader.prepare("select 1 from jobs where id = ?").pluck();
  while (isThere.get(job) !== undefined) await pause(20);
  reader.close();
}

async function submit({ url }: Running, runs: number): Promise<void> {
  const headers = { ...authorization, "Content-Type": "application/json" };
  const answer = await fetch(`${url}/v1/jobs`, { method: "POST", headers, body: submissionBody(runs) });
  await answer.arrayBuffer();
  if (answer.status !== 202) throw new Error(`the submission answered ${answer.status}`);
}

function watchWal(database: string): { largest(): number; stop(): void } {
  let largest = 0;
  const look = () => {
    largest = Math.max(largest, statSync(`${database}-wal`).size / 1024 ** 2);
  };
  const looking = setInterval(look, 100);
  return {
    largest() {
      look();
      return largest;
    },
    stop: () => clearInterval(looking),
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
