// pg-boss: its workers are woken by NOTIFY and fetch in batches, without a pause while batches come back full. A batch
// is completed in one statement.
import { PgBoss } from "pg-boss";
import type { Env, JobTickets, Peer, Ticketed } from "./peer.ts";

export async function openPgboss({ POSTGRES_URL = "" }: Env): Promise<Peer> {
  const boss = await start(new PgBoss(POSTGRES_URL));
  await boss.createQueue("bench");
  return toPeer(boss);
}

export async function workPgboss({ POSTGRES_URL = "" }: Env, tickets: JobTickets): Promise<Peer> {
  const options = { connectionString: POSTGRES_URL, schema: "pgboss_work" };
  const boss = await start(new PgBoss({ ...options, useListenNotify: true, __test__enableSpies: true }));
  await boss.createQueue("bench", { notify: true });
  // Only the spy reports a committed completion. Replaced, because storing each job would cost pg-boss time.
  const spy = boss.getSpy<Ticketed>("bench") as unknown as { addJob: Told };
  spy.addJob = (_id, _name, job, state) => {
    if (state === "completed") tickets.end(job.ticket);
  };
  await boss.work("bench", { batchSize: 250, localConcurrency: 2, burstWhenBatchFull: true }, async () => {});
  return toPeer(boss);
}

type Told = (id: string, name: string, job: Ticketed, state: string) => void;

async function start(boss: PgBoss): Promise<PgBoss> {
  boss.on("error", () => {});
  return boss.start();
}

function toPeer(boss: PgBoss): Peer {
  const enqueue = ([first = {}, ...others]: object[]): Promise<unknown> =>
    others.length === 0
      ? boss.send("bench", first)
      : boss.insert(
          "bench",
          [first, ...others].map((data) => ({ data })),
        );
  return { enqueue, close: () => boss.stop({ graceful: false }) };
}
