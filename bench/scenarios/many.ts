// 10,000 runs in one job, compared with direct inserts of the same rows.
import { join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { type Bench, interleave, ratioOf, type Sample, type Scenario } from "../measure.ts";
import { createDatabase } from "../rows.ts";
import { authorization, type Running, startService, startSilentLyceum } from "../service.ts";

export const many: Scenario = {
  name: "many",
  includes:
    "One POST with 10,000 runs, from the first byte sent to the 202: reading and checking the body, ids, compressed " +
    "specs, runs, events, one durable commit. Beside it the rows that this made, read back and inserted with " +
    "better-sqlite3 in one transaction into a database with the same tables, indexes and synchronous=FULL.",
  async run(bench) {
    const database = join(bench.directory, "many.db");
    const copy = join(bench.directory, "many-raw.db");
    const lyceum = await startSilentLyceum();
    const ours = await startService({ database, lyceumUrl: lyceum.url });
    await createDatabase(copy);
    const figures = [];
    try {
      for (const [name, body] of Object.entries(bodies(bench))) {
        const job = (await post(ours, body)).id;
        const raw = rawInsert(database, copy, job);
        const theirs = async () => {
          raw.clear();
          return timed(raw.insert);
        };
        const arms = { ours: () => timed(() => post(ours, body)), theirs };
        await theirs();
        const rounds = await interleave(bench, `10,000 runs, ${name}`, arms);
        const figure = { name: `10,000 runs in one job, ${name}`, unit: "ms", against: "raw inserts" };
        figures.push(ratioOf(rounds, "ms", { ...figure, goal: { atMost: 2 } }));
      }
    } finally {
      lyceum.stop();
      await ours.stop();
    }
    return figures;
  },
};

function bodies(bench: Bench): Record<string, string> {
  const run = { kind: "python", code: "print(1 + 1)", timeout: 60, execution_type: "cpu" };
  const count = bench.size(10_000, 100);
  const values = Array.from({ length: count }, (_, index) => String(index));
  return {
    "each listed": JSON.stringify({ runs: values.map((name) => ({ ...run, name })) }),
    "by matrix": JSON.stringify({ runs: [{ ...run, matrix: { SEED: values } }] }),
  };
}

async function post({ url }: Running, body: string): Promise<{ id: string }> {
  const headers = { ...authorization, "Content-Type": "application/json" };
  const response = await fetch(`${url}/v1/jobs`, { method: "POST", headers, body });
  if (response.status !== 202) throw new Error(`answered ${response.status}`);
  return (await response.json()) as { id: string };
}

async function timed(work: () => unknown): Promise<Sample> {
  const startedAt = performance.now();
  await work();
  return { ms: performance.now() - startedAt };
}

/** Writes the job's rows after deleting those of the last round. */
function rawInsert(from: string, to: string, job: string): { clear(): void; insert(): void } {
  const source = new SqliteDatabase(from, { readonly: true });
  const target = new SqliteDatabase(to);
  target.pragma("synchronous = FULL");
  target.exec("insert into api_keys (name, last_served_seq) values ('bench', 0) on conflict do nothing");
  const tables = Object.entries({ jobs: "id", specs: "job_id", runs: "job_id", events: "job_id" });
  const work = tables.map(([table, key]) => {
    const rows = source.prepare(`select * from ${table} where ${key} = ?`).raw().all(job) as unknown[][];
    const places = (rows[0] ?? []).map(() => "?").join(", ");
    return { insert: target.prepare(`insert into ${table} values (${places})`), rows };
  });
  source.close();
  const insertAll = target.transaction(() => {
    for (const { insert, rows } of work) for (const row of rows) insert.run(...row);
  });
  return {
    clear: () =>
      void target.exec("delete from events; delete from specs; delete from runs; delete from jobs"),
    insert: insertAll,
  };
}
