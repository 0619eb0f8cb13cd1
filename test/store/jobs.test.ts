// Jobs in the database: what is counted with each change, where a job stands in the queue, and lists.
import { expect, test } from "vitest";
import { readCounters } from "../../src/store/counters.ts";
import { nextReadyAt, queuePosition } from "../../src/store/fair-queue.ts";
import { updateJobCounts } from "../../src/store/job-counts.ts";
import { listJobs } from "../../src/store/job-list.ts";
import { findJob, jobsDue, nextJobDueAt, setJobDue } from "../../src/store/jobs.ts";
import { readLevels } from "../../src/store/queue-stats.ts";
import { eachDatabase } from "../support/databases.ts";
import { claimed, contextOf, ended, jobNow, live, submitted, tell } from "../support/scene.ts";

eachDatabase("a job", (open) => {
  test("a job counts each move of a run once, and takes the status that follows", async () => {
    const database = await open();
    const { store } = database;
    const { id } = await submitted(contextOf(database), 2);
    const entered = [];
    for (const [from, to] of [
      ["queued", "active"],
      ["active", "queued"],
      ["queued", "active"],
      ["active", "collecting"],
      ["collecting", "succeeded"],
      ["queued", "active"],
      ["active", "failed"],
    ] as const) {
      const [change] = await updateJobCounts(store.db, [{ jobId: id, moves: [{ from, to }] }], 9);
      expect(await jobNow(store, id)).toMatchObject(change?.job ?? {});
      entered.push(change?.newStatus);
    }
    expect(entered).toEqual(["active", null, null, null, null, null, "failed"]);
    expect(await jobNow(store, id)).toMatchObject({
      succeeded: 1,
      failed: 1,
      queued: 0,
      started_at: 9,
      ended_at: 9,
    });
  });

  test("a job is found by its owner and by administrators, and listed newest first", async () => {
    const database = await open();
    const { store, time } = database;
    const { db } = store;
    const context = contextOf(database);
    const start = time.now();
    const jobs = [];
    for (const [name, apiKey] of [
      ["a", "ann"],
      ["b", "bob"],
      ["b", "ann"],
    ] as const) {
      jobs.push(await submitted(context, 1, { name }, { apiKey }));
      time.pass(1_000);
    }
    await ended(context, "completed");
    const [first, second, third] = jobs.map((job) => job.id);
    expect((await findJob(db, second ?? ""))?.id).toBe(second);
    const list = async (filter: object, limit = 9) =>
      (await listJobs(db, filter, limit)).rows.map((job) => job.id);
    expect(await list({})).toEqual([third, second, first]);
    expect(await list({}, 2)).toEqual([third, second]);
    expect(await list({ before: second })).toEqual([first]);
    expect(await list({ key: "ann" })).toEqual([third, first]);
    expect(await list({ name: "b" })).toEqual([third, second]);
    expect(await list({ statuses: ["succeeded"] })).toEqual([first]);
    expect(await list({ createdAfter: start, createdBefore: start + 2_000 })).toEqual([second]);
  });

  test("a job is due when it needs a hand", async () => {
    const database = await open();
    const { db } = database.store;
    const context = contextOf(database);
    const later = await submitted(context, 1, { deadlineS: 20 });
    const sooner = await submitted(context, 1, { deadlineS: 10 });
    await submitted(context, 1);
    const due = async (now: number) => (await jobsDue(db, now, 9)).map((job) => job.id);
    expect(await nextJobDueAt(db)).toBe(sooner.deadline_at);
    expect(await due((sooner.deadline_at ?? 0) - 1)).toEqual([]);
    expect(await due(later.deadline_at ?? 0)).toEqual([sooner.id, later.id]);
    await setJobDue(db, sooner.id, null);
    expect(await nextJobDueAt(db)).toBe(later.deadline_at);
  });

  test("a job stands in the queue where its next run will really start", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    await submitted(context, 3, {}, { apiKey: "ann" });
    await claimed(context);
    await submitted(context, 2, { priority: 1 }, { apiKey: "eve" });
    const jobs = [
      await submitted(context, 2, {}, { apiKey: "bob" }),
      await submitted(context, 2, {}, { apiKey: "ann" }),
      await submitted(context, 2, {}, { apiKey: "bob" }),
    ];
    const promised = await Promise.all(jobs.map((job) => queuePosition(store.db, job)));
    const turns: string[] = [];
    for (let turn = 0; turn < 10; turn++) turns.push((await claimed(context)).run.jobId);
    expect(promised).toEqual(jobs.map((job) => turns.indexOf(job.id) + 1));
  });
});

eachDatabase("levels and counters", (open) => {
  test("levels and counters count queued and live runs, and rows without a wake-up", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    const start = time.now();
    const job = await submitted(context, 6);
    time.pass(1_000);
    await submitted(context, 2, { maxParallel: 1 }, { apiKey: "bob" });
    await ended(context, "completed");
    const doubtful = await claimed(context);
    await tell(context, doubtful.execution.id, { type: "outcome_unknown", detail: "reset" });
    const collecting = await live(context);
    await tell(context, collecting.execution.id, {
      type: "snapshot",
      by: "poll",
      askedAt: 0,
      snapshot: { status: "completed", raw: "completed", timedOut: false },
    });
    await claimed(context);
    const levels = await readLevels(store.db);
    expect(levels).toMatchObject({
      queued: 4,
      collecting: 1,
      inDoubt: 1,
      oldestQueuedAt: start,
      withoutWakeup: 0,
    });
    expect(levels.live).toBe(2);
    expect(await nextReadyAt(store.db, time.now())).toBe(start);
    await store.db.updateTable("jobs").set({ ready_at: null }).where("id", "=", job.id).execute();
    expect(await readLevels(store.db)).toMatchObject({ withoutWakeup: 1 });
  });

  test("the next start is one that is ready, or else the earliest of a backoff or a budget's window", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    const now = time.now();
    expect(await nextReadyAt(store.db, now)).toBeNull();
    const backOff = await submitted(context, 1);
    const held = await submitted(context, 1, {}, { apiKey: "bob" });
    const setReady = (id: string, readyAt: number) =>
      store.db.updateTable("jobs").set({ ready_at: readyAt }).where("id", "=", id).execute();
    await setReady(backOff.id, now + 9_000);
    await store.db
      .updateTable("api_keys")
      .set({ held_until: now + 5_000 })
      .where("name", "=", "bob")
      .execute();
    expect(await nextReadyAt(store.db, now)).toBe(now + 5_000);
    expect(await nextReadyAt(store.db, now + 5_000)).toBe(held.ready_at);
    await setReady(held.id, now + 10_000);
    expect(await nextReadyAt(store.db, now + 5_000)).toBe(now + 9_000);
  });

  test("levels and counters are read by the beginning of their names", async () => {
    const database = await open();
    const { store } = database;
    await store.db
      .insertInto("counters")
      .values([
        { name: "callbacks.early", value: 2 ** 40 },
        { name: "callbacks.late", value: 1 },
        { name: "callback", value: 9 },
      ])
      .execute();
    expect(await readCounters(store.db, "callbacks.")).toEqual({ early: 2 ** 40, late: 1 });
  });
});
