// From a callback to its written end, so that an acknowledgement that is made cheaper by putting work off shows it.
import { join } from "node:path";
import { receiveCallback } from "../../src/orchestration/receive-callback.ts";
import { createClaims } from "../../src/workers/claims.ts";
import { createInbox } from "../../src/workers/reconcile/inbox.ts";
import { openContext } from "../context.ts";
import { alone, type Scenario } from "../measure.ts";
import { end } from "../peers/life.ts";
import { addRuns, createDatabase, executionId } from "../rows.ts";
import { shuffled } from "../shuffle.ts";

export const written: Scenario = {
  name: "written",
  includes:
    "In-process, 44 callbacks at once, in random order over the live executions: the callback stored, the inbox read, then " +
    "the end with its record, timing, metrics and logs, through the functions that the workers use; each a durable " +
    "write. Processor time of the process, all threads, per run.",
  async run(bench) {
    const path = join(bench.directory, "written.db");
    const perRound = bench.size(4_400, 88);
    const live = perRound * (bench.rounds + 1) + bench.size(10_000, 0);
    await createDatabase(path);
    await addRuns(path, "live", { from: 0, count: live });
    const context = await openContext(path);
    const inbox = createInbox(context, {
      now: () => Date.now(),
      claims: createClaims(context, "reconcile", 60_000, () => Date.now()),
    });
    const order = shuffled(live);
    const us: number[] = [];
    for (let round = 0; round <= bench.rounds; round++) {
      bench.progress(`callback to written end, round ${round}`);
      const ids = order.subarray(round * perRound, (round + 1) * perRound);
      const before = process.cpuUsage();
      for (let from = 0; from < ids.length; from += AT_ONCE)
        await takeToTheirEnds(ids.subarray(from, from + AT_ONCE));
      const { user, system } = process.cpuUsage(before);
      // The first round warms up.
      if (round > 0) us.push((user + system) / ids.length);
    }
    await context.store.close();
    return [alone(us, { name: "processor time from a callback to its written end", unit: "µs", goal: null })];

    async function takeToTheirEnds(numbers: Iterable<number>): Promise<void> {
      await Promise.all(Array.from(numbers, callBack));
      const called = await inbox.take(AT_ONCE);
      await Promise.all(called.map(({ execution }) => end(context, execution.id)));
    }

    async function callBack(number: number): Promise<void> {
      const id = executionId(number);
      const body = Buffer.from(JSON.stringify({ execution_id: id, status: "completed" }));
      await receiveCallback(context, {
        executionId: id,
        contentType: "application/json",
        body,
        truncated: false,
      });
    }
  },
};

const AT_ONCE = 44;
