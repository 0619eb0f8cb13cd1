// Callbacks for the scenarios: live executions and the requests that call them back.
import { join } from "node:path";
import { callbackToken } from "../../src/domain/callback-token.ts";
import { requestBytes } from "../load/connection.ts";
import type { Bench } from "../measure.ts";
import { addRuns, executionId } from "../rows.ts";
import { callbackSecret, type Running, startBusyLyceum, startServer, startService } from "../service.ts";
import { shuffled } from "../shuffle.ts";

export interface Stage {
  ours: Running;
  bare: Running;
  durable: Running;
  database: string;
  /** Each request names another execution, in random order; null after `most`. */
  fresh(most: number): () => Buffer | null;
  /** For servers that look no execution up. */
  any(): () => Buffer;
  stop(): Promise<void>;
}

/** Starts the service with live executions, and the bare server. */
export async function setStage(
  bench: Bench,
  name: string,
  live: number,
  {
    start = startService,
    prepare = async () => {},
  }: { start?: typeof startService; prepare?: (database: string) => Promise<void> } = {},
): Promise<Stage> {
  const database = join(bench.directory, `${name}.db`);
  await prepare(database);
  const lyceum = await startBusyLyceum();
  const ours = await start({ database, lyceumUrl: lyceum.url });
  const bare = await startServer("bare", { SECRET: callbackSecret });
  const durable = await startServer("durable", { SECRET: callbackSecret, DATABASE: `${database}-minimum` });
  bench.progress(`${name}: ${live} live executions`);
  // After the start of the service, which makes all open executions due soon.
  await addRuns(database, "live", { from: 0, count: live });
  // The execution of all zeros is the doctor's: its callback is answered, and not stored.
  const order = shuffled(live).filter((number) => number > 0);
  let used = 0;
  return {
    ours,
    bare,
    durable,
    database,
    fresh(most) {
      let left = most;
      return () =>
        left-- <= 0 || used >= order.length ? null : callbackRequest(executionId(order[used++] ?? 0));
    },
    any() {
      const requests = Array.from({ length: 1_000 }, (_, index) => callbackRequest(executionId(index)));
      let next = 0;
      return () => requests[next++ % requests.length] as Buffer;
    },
    async stop() {
      lyceum.stop();
      await Promise.all([ours.stop(), bare.stop(), durable.stop()]);
    },
  };
}

export function callbackRequest(id: string): Buffer {
  const body = JSON.stringify({ execution_id: id, status: "completed" });
  const path = `/callbacks/lyceum/${id}/${callbackToken(callbackSecret, id)}`;
  return requestBytes("POST", path, { headers: { "Content-Type": "application/json" }, body });
}
