// Queued and active runs, summed a slice at a time.
import { expect, test } from "vitest";
import { readDepths } from "../../src/store/queue-stats.ts";
import { eachDatabase } from "../support/databases.ts";
import { contextOf, live, submitted } from "../support/scene.ts";

eachDatabase("the depths", (open) => {
  test("the depths are those of all jobs, however many there are", async () => {
    const database = await open();
    const context = contextOf(database);
    const { time } = database;
    const startedAt = time.now();
    await submitted(context, 1);
    await live(context);
    time.pass(1_000);
    await Promise.all(Array.from({ length: 2_100 }, () => submitted(context, 2, { maxParallel: 1 })));
    await database.store.db.updateTable("jobs").set({ ready_at: null }).where("queued", ">", 0).execute();
    expect(await readDepths(database.store.db)).toEqual({
      queued: 4_200,
      live: 1,
      oldestQueuedAt: startedAt + 1_000,
      withoutWakeup: 2_100,
    });
  });
});
