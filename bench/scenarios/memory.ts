// Memory with a long queue and many long polls, compared with an empty service.
import { join } from "node:path";
import { type Connection, openConnection, requestBytes } from "../load/connection.ts";
import { alone, type Scenario } from "../measure.ts";
import { addRuns, createDatabase, jobId } from "../rows.ts";
import { authorization, residentMiB, startService, startSilentLyceum } from "../service.ts";

export const memory: Scenario = {
  name: "memory",
  includes:
    "Resident memory with 100,000 queued runs and 5,000 requests of `GET /v1/jobs/{id}?wait=60s` open, each on a " +
    "connection of its own, less that of a service with an empty database that answered one request. Its settings " +
    "keep dispatch from starting anything meanwhile.",
  async run(bench) {
    const lyceum = await startSilentLyceum();
    const queued = join(bench.directory, "memory.db");
    await createDatabase(queued);
    const runs = bench.size(100_000, 1_000);
    await addRuns(queued, "queued", { from: 0, count: runs });
    const grown: number[] = [];
    try {
      for (let round = 0; round < Math.min(bench.rounds, 3); round++) {
        bench.progress(`memory, round ${round + 1}`);
        const options = { lyceumUrl: lyceum.url, env: { SUBMIT_LIMIT: "1/1h" } };
        const empty = await startService({
          ...options,
          database: join(bench.directory, `empty-${round}.db`),
        });
        const busy = await startService({ ...options, database: queued });
        const waiters = await openWaiters(busy.port, bench.size(5_000, 50), runs / 100);
        await new Promise((resolve) => setTimeout(resolve, bench.size(3_000, 200)));
        grown.push(residentMiB(busy.pid) - residentMiB(empty.pid));
        for (const waiter of waiters) waiter.close();
        await Promise.all([empty.stop(), busy.stop()]);
      }
    } finally {
      lyceum.stop();
    }
    const name = "memory of 100,000 queued runs, 5,000 waiters";
    return [alone(grown, { name, unit: "MiB", goal: { atMost: 150 } })];
  },
};

async function openWaiters(port: number, count: number, jobs: number): Promise<Connection[]> {
  const waiters: Connection[] = [];
  for (let index = 0; index < count; index++) {
    const answered = (status: number) => {
      throw new Error(`a waiter was answered ${status}`);
    };
    const waiter = await openConnection(port, answered, () => {});
    waiter.send(requestBytes("GET", `/v1/jobs/${jobId(index % jobs)}?wait=60s`, { headers: authorization }));
    waiters.push(waiter);
  }
  return waiters;
}
