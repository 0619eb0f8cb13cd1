// The database is away for a moment, at each moment that there is: what was claimed comes due again within seconds, not
// with the end of its lease.
import { expect, test } from "vitest";
import type { Worker } from "../../src/workers/loop.ts";
import { type Database, onSqlite } from "../support/databases.ts";
import { type Fault, withFaults } from "../support/faults.ts";
import { status } from "../support/receiver.ts";
import { submitted } from "../support/scene.ts";
import { sceneOf as collecting } from "./collecting.ts";
import { sceneOf as delivering, receiverOf, subscribe } from "./delivering.ts";

interface Moment {
  fault: Fault;
  others: number;
}

const faults: Fault[] = ["refused", "lost", "unread"];
const moments = faults.flatMap((fault) => Array.from({ length: 8 }, (_, others) => ({ fault, others })));

/** As its loop would, but for the waiting. */
async function round(worker: Worker): Promise<void> {
  await worker.runOnce().catch(() => {});
  await worker.idle();
}

onSqlite("an end", (open) => {
  test.each(moments)(
    "is known and collected soon although the database is away ($fault after $others)",
    async (moment) => {
      expect(await secondsToEnd(await open(), moment, 1)).toBeLessThan(45);
    },
  );

  test("an end is known soon although the database is away again and again", async () => {
    expect(await secondsToEnd(await open(), { fault: "lost", others: 0 }, 12)).toBeLessThan(120);
  });
});

async function secondsToEnd(database: Database, moment: Moment, times: number): Promise<number> {
  const faulty = withFaults(database.store);
  const scene = await collecting({ ...database, store: faulty.store });
  faulty.failAfter(moment.others, moment.fault, times);
  const run = () => database.store.db.selectFrom("runs").select(["status"]).executeTakeFirstOrThrow();
  for (let seconds = 0; ; seconds++) {
    if ((await run()).status === "succeeded" || seconds > 600) return seconds;
    await round(scene.checker);
    await round(scene.worker);
    scene.time.pass(1_000);
  }
}

onSqlite("a delivery", (open) => {
  test.each(moments)(
    "a delivery arrives soon although the database is away ($fault after $others)",
    async (moment) => {
      const receiver = await receiverOf(status(204));
      const database = await open();
      const faulty = withFaults(database.store);
      const scene = delivering({ ...database, store: faulty.store });
      await subscribe(scene.context, receiver.url);
      await submitted(scene.context, 1);
      faulty.failAfter(moment.others, moment.fault);
      let seconds = 0;
      while ((await scene.sole().catch(() => null))?.state !== "delivered" && seconds < 600) {
        await round(scene.worker);
        scene.time.pass(1_000);
        seconds++;
      }
      expect(seconds).toBeLessThan(10);
      // An attempt is recorded later instead of being made again.
      expect(receiver.received).toHaveLength(1);
    },
  );
});
