// Reading the event log: in order, by filter, in bounded steps.
import { expect, test } from "vitest";
import type { Db } from "../../src/store/db/transaction.ts";
import { type EventFilter, newestSeq, oldestSeq, readEvents } from "../../src/store/events.ts";
import { eachDatabase } from "../support/databases.ts";
import { contextOf, ended, removed, submitted } from "../support/scene.ts";

async function all(db: Db, filter: EventFilter, limit = 3) {
  const found: [number, string][] = [];
  for (let after = 0; ; ) {
    const page = await readEvents(db, filter, after, limit);
    found.push(...page.events.map(({ seq, type }): [number, string] => [seq, type]));
    if (page.isNewest) return found;
    expect(page.readTo).toBeGreaterThan(after);
    after = page.readTo;
  }
}

eachDatabase("reading events", (open) => {
  test("pages follow each other without a gap, for everybody, for a key and for a job", async () => {
    const database = await open();
    const { db } = database.store;
    const context = contextOf(database);
    const anns = await submitted(context, 4);
    const bobs = await submitted(context, 1, {}, { apiKey: "bob" });
    await submitted(context, 2);
    expect((await all(db, { owner: null })).map(([seq]) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect((await all(db, { owner: "ann" })).map(([seq]) => seq)).toEqual([1, 2, 3, 4, 5, 8, 9, 10]);
    expect((await all(db, { owner: null, jobId: anns.id })).map(([seq]) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(await all(db, { owner: null, jobId: bobs.id })).toEqual([
      [6, "job.created"],
      [7, "run.queued"],
    ]);
    expect(await all(db, { owner: "ann", types: ["job.created"] })).toEqual([
      [1, "job.created"],
      [8, "job.created"],
    ]);
    expect(await all(db, { owner: "nobody" })).toEqual([]);
  });

  test("reading events skips rows without a match in bounded steps", async () => {
    const database = await open();
    const { db } = database.store;
    const context = contextOf(database);
    await submitted(context, 2_000);
    const bobs = await submitted(context, 1, {}, { apiKey: "bob" });
    const first = await readEvents(db, { owner: "bob" }, 0, 10);
    expect(first).toEqual({ events: [], readTo: 2_000, isNewest: false });
    const second = await readEvents(db, { owner: "bob" }, first.readTo, 10);
    expect(second).toMatchObject({ events: [{ seq: 2_002 }, { seq: 2_003 }], isNewest: true });
    // One job's are found by the index, whatever lies between.
    const ofJob = await readEvents(db, { owner: null, jobId: bobs.id }, 0, 10);
    expect(ofJob).toMatchObject({ events: [{ seq: 2_002 }, { seq: 2_003 }], isNewest: true });
  });

  test("one run of a long job is found in bounded steps", async () => {
    const database = await open();
    const { db } = database.store;
    const context = contextOf(database);
    const job = await submitted(context, 2_500);
    const events = await db.selectFrom("events").select(["seq", "run_id"]).orderBy("seq").execute();
    const last = events.at(-1);
    const filter = { owner: null, jobId: job.id, runId: last?.run_id ?? "" };
    expect(await readEvents(db, filter, 0, 10)).toMatchObject({ events: [], isNewest: false });
    expect(await all(db, filter)).toEqual([[last?.seq, "run.queued"]]);
  });

  test("a deleted job takes its events along, and no number is given twice", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    expect(await newestSeq(store.db)).toBe(0);
    expect(await oldestSeq(store.db)).toBeNull();
    const first = await submitted(context, 1);
    await ended(context, "completed");
    const newest = await newestSeq(store.db);
    expect(await oldestSeq(store.db)).toBe(1);
    await removed(store, first.id);
    expect(await newestSeq(store.db)).toBe(newest);
    expect(await oldestSeq(store.db)).toBeNull();
    await submitted(context, 1);
    expect(await oldestSeq(store.db)).toBe(newest + 1);
    expect((await all(store.db, { owner: null })).map(([seq]) => seq)).toEqual([newest + 1, newest + 2]);
  });
});
