// graphile-worker: 50 concurrent jobs, the batching that its performance page recommends, woken by NOTIFY.
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { Client, Pool, type QueryConfig, type QueryResult } from "pg";
import type { Env, JobTickets, Peer, Ticketed } from "./peer.ts";

export function openGraphile({ POSTGRES_URL = "" }: Env): Promise<Peer> {
  return openQueue({ connectionString: POSTGRES_URL });
}

export async function workGraphile({ POSTGRES_URL = "" }: Env, tickets: JobTickets): Promise<Peer> {
  const schema = "graphile_work";
  const { enqueue, close } = await openQueue({ connectionString: POSTGRES_URL, schema });
  const ticketOf = new Map<string, number>();
  const onCompleted = (ids: string[]) => {
    for (const id of ids) tickets.end(ticketOf.get(id) as number);
    for (const id of ids) ticketOf.delete(id);
  };
  const pool = new Pool({
    connectionString: POSTGRES_URL,
    max: 52,
    Client: clientThatTells(onCompleted),
  });
  pool.on("error", () => {});
  const runner = await run({
    pgPool: pool,
    schema,
    concurrency: 50,
    noHandleSignals: true,
    logger: new Logger(() => () => {}),
    crontab: "",
    preset: { worker: { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
    taskList: {
      bench: (payload, { job }) => void ticketOf.set(job.id, (payload as Ticketed).ticket),
    },
  });
  return {
    enqueue,
    async close() {
      await runner.stop();
      await pool.end();
      await close();
    },
  };
}

/** Its events report the return of a handler; only the query shows that the job has left the table. */
function clientThatTells(onCompleted: (ids: string[]) => void) {
  return class extends Client {
    // biome-ignore lint/suspicious/noExplicitAny: passed on as it came, in any of its six forms
    override query(...asked: any[]): any {
      const answer = super.query(...(asked as [QueryConfig])) as Promise<QueryResult> | undefined;
      const { name = "", values = [] } = (asked[0] ?? {}) as QueryConfig;
      if (name.startsWith("complete_job"))
        void answer?.then(() => onCompleted([values[0]].flat().map(String)));
      return answer;
    }
  };
}

async function openQueue(options: { connectionString: string; schema?: string }): Promise<Peer> {
  const worker = await makeWorkerUtils(options);
  await worker.migrate();
  const enqueue = (jobs: object[]): Promise<unknown> =>
    jobs.length === 1
      ? worker.addJob("bench", jobs[0])
      : worker.addJobs(jobs.map((payload) => ({ identifier: "bench", payload })));
  return { enqueue, close: async () => worker.release() };
}
