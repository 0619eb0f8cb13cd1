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
    "write. The documents are requested together, so that their answers usually come together, and are stored in one " +
    "write; those that come later than 20 ms after the record are stored in a write of their own. Processor time of the " +
    "process, all threads, per run.",
  async run(bench) {
    const path = join(bench.directory, "written.db");
    const perRound = bench.size(4_400, 88);
    const live = perRound * 2 * (bench.rounds + 1) + bench.size(10_000, 0);
    await createDatabase(path);
    await addRuns(path, "live", { from: 0, count: live });
    const context = await openContext(path);
    const inbox = createInbox(context, {
      now: () => Date.now(),
      claims: createClaims(context, "reconcile", 60_000, () => Date.now()),
    });
    const order = shuffled(live);
    const us = { together: [] as number[], later: [] as number[] };
    let from = 0;
    for (let round = 0; round <= bench.rounds; round++) {
      bench.progress(`callback to written end, round ${round}`);
      for (const others of ["together", "later"] as const) {
        const before = process.cpuUsage();
        for (const to = from + perRound; from < to; from += AT_ONCE)
          await takeToTheirEnds(order.subarray(from, from + AT_ONCE), others);
        const { user, system } = process.cpuUsage(before);
        // The first round warms up.
        if (round > 0) us[others].push((user + system) / perRound);
      }
    }
    await context.store.close();
    const name = "processor time from a callback to its written end";
    return [
      alone(us.together, { name, unit: "µs", goal: null }),
      alone(us.later, { name: `${name}, documents later`, unit: "µs", goal: null }),
    ];

    async function takeToTheirEnds(numbers: Iterable<number>, others: "together" | "later"): Promise<void> {
      await Promise.all(Array.from(numbers, callBack));
      const called = await inbox.take(AT_ONCE);
      await Promise.all(called.map(({ execution }) => end(context, execution.id, others)));
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
