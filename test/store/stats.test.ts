// Numbers for charts: written with what they count, by each instance on rows of its own, and folded into hours.
import { expect, test } from "vitest";
import { readTimeToKnowledge } from "../../src/orchestration/time-to-knowledge.ts";
import { foldOldestHour, levelsBefore, readStats, setLevels, stepMs } from "../../src/store/stats.ts";
import { eachDatabase } from "../support/databases.ts";
import { contextOf, ended, submitted } from "../support/scene.ts";

const HOUR = stepMs["1h"];

eachDatabase("numbers for charts", (open) => {
  test("numbers for charts are written with what they count, and not where that is rolled back", async () => {
    const { store, time } = await open();
    const failed = store.write(async (tx) => {
      tx.count("started", 1);
      throw new Error("rolled back");
    });
    await expect(failed).rejects.toThrow("rolled back");
    await Promise.all([1, 2, 3].map((by) => store.write(async (tx) => tx.count("started", by))));
    const points = await readStats(store.db, "1m", 0, time.now() + 1);
    expect(points.map(({ values }) => [...values])).toEqual([[["started", 6]]]);
  });

  test("numbers for charts are added up over instances, each of which has rows of its own", async () => {
    const database = await open();
    const other = database.connect();
    expect(other.instance).not.toBe(database.store.instance);
    for (const store of [database.store, other]) await store.write(async (tx) => tx.count("started", 2));
    const rows = await database.store.db.selectFrom("stats").select("instance").execute();
    expect(new Set(rows.map(({ instance }) => instance)).size).toBe(2);
    const [point] = await readStats(other.db, "1m", 0, database.time.now() + 1);
    expect(point?.values.get("started")).toBe(4);
  });

  test("numbers for charts tell the same by the hour before and after their minutes are folded, once by whoever folds", async () => {
    const database = await open();
    const { store, time } = database;
    const other = database.connect();
    time.pass(HOUR - (time.now() % HOUR));
    const from = time.now();
    for (let minute = 0; minute < 90; minute++) {
      await store.write(async (tx) => {
        tx.count("started", 1);
        tx.count("cost.estimated", minute % 2 === 0 ? 5 : -5);
      });
      if (minute % 40 === 0)
        await store.write((tx) => setLevels(tx.db, tx.now, tx.instance, { waiting: minute, alive: 1 }));
      time.pass(60_000);
    }
    const shown = async () =>
      (await readStats(store.db, "1h", from, time.now())).map(({ at, values }) => [
        at,
        Object.fromEntries([...values].sort()),
      ]);
    const before = await shown();
    expect(before).toEqual([
      [from, { alive: 1, "cost.estimated": 0, started: 60, waiting: 40 }],
      [from + HOUR, { alive: 1, "cost.estimated": 0, started: 30, waiting: 80 }],
    ]);
    const folded = await Promise.all(
      [store, other].map((one) => one.write((tx) => foldOldestHour(tx.db, from + HOUR))),
    );
    expect(folded).toContain(true);
    expect(await store.write((tx) => foldOldestHour(tx.db, from + HOUR))).toBe(false);
    expect(await shown()).toEqual(before);
    expect(Object.fromEntries(await levelsBefore(store.db, from + HOUR))).toEqual({ alive: 1, waiting: 40 });
  });

  test("numbers for charts tell of runs that start and end, and how soon ends were known, over a restart and for a day", async () => {
    const database = await open();
    const context = contextOf(database);
    await submitted(context, 3);
    for (const status of ["completed", "completed", "failed"] as const) await ended(context, status);
    const [point] = await readStats(database.connect().db, "1m", 0, database.time.now() + 1);
    expect(Object.fromEntries(point?.values ?? [])).toMatchObject({
      started: 3,
      "ended.succeeded": 2,
      "ended.failed": 1,
    });
    await database.store.write(async (tx) => {
      tx.count("delay.40", 3);
      tx.count("delay.160", 1);
      tx.count("delay.in_time", 3);
    });
    const known = await readTimeToKnowledge(database.connect().db, database.time.now());
    expect(known).toMatchObject({ samples: 4, shareInTime: 0.75 });
    expect(known?.p50Ms).toBeLessThan(100);
    expect(known?.p99Ms).toBeGreaterThan(900_000);
    database.time.pass(24 * HOUR + 60_000);
    expect(await readTimeToKnowledge(database.store.db, database.time.now())).toBeNull();
  });
});
