// Callbacks: kept as they came, believed in nothing but that a look is due now.
import { expect, test } from "vitest";
import { listAllCallbacks, listCallbacks as listWithInbox } from "../../src/orchestration/list-callbacks.ts";
import { receiveCallback } from "../../src/orchestration/receive-callback.ts";
import { listCallbacks } from "../../src/store/callbacks.ts";
import { readCounters } from "../../src/store/counters.ts";
import type { Topic } from "../../src/store/db/transaction.ts";
import { nextDueAt } from "../../src/store/execution-claims.ts";
import { findExecution } from "../../src/store/executions.ts";
import { readInbox } from "../../src/store/inbox.ts";
import { eachDatabase, onPostgres } from "../support/databases.ts";
import {
  callBack,
  claimed,
  contextOf,
  ended,
  fileInbox,
  live,
  read,
  submitted,
  tell,
} from "../support/scene.ts";

const from = (executionId: string) => ({
  executionId,
  contentType: "text/plain",
  body: Buffer.from([0, 255, 10]),
  truncated: false,
});

eachDatabase("a callback", (open) => {
  test("a callback of a live execution is kept as it came, and its check is due now", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    await submitted(context, 1);
    const { execution } = await live(context);
    time.pass(1_000);
    const woken: [Topic, number][] = [];
    store.onCommit((topic, dueAt) => void woken.push([topic, dueAt]));
    expect(await callBack(context, { ...from(execution.id), truncated: true })).toBe("received");
    expect(await findExecution(store.db, execution.id)).toMatchObject({
      status: "pending",
      dueAt: time.now(),
      callbackAt: time.now(),
    });
    expect(woken).toContainEqual(["reconcile", time.now()]);
    const [kept] = await listCallbacks(store.db, execution.id, "", 9);
    expect(kept).toMatchObject({ disposition: "received", content_type: "text/plain", truncated: 1 });
    expect(Buffer.from(kept?.body ?? [])).toEqual(Buffer.from([0, 255, 10]));
  });

  test("among many of the same turn is judged in the order of arrival", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    await submitted(context, 2);
    const { execution: one } = await live(context);
    const { execution: other } = await claimed(context);
    const ids = [one.id, other.id, "exe_none", one.id, other.id, one.id];
    await Promise.all(ids.map((id) => receiveCallback(context, from(id))));
    await fileInbox(context);
    const kept = await listCallbacks(store.db, one.id, "", 9);
    expect(kept.map((callback) => callback.disposition)).toEqual(["received", "duplicate", "duplicate"]);
    expect(await readCounters(store.db, "callbacks.")).toEqual({ received: 1, early: 1, duplicate: 3 });
  });

  test("a callback is acknowledged with one row, which wakes the reconciler, and shown as it will be filed", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    await submitted(context, 1);
    const { execution } = await live(context);
    const before = await findExecution(store.db, execution.id);
    const woken: Topic[] = [];
    store.onCommit((topic) => void woken.push(topic));
    for (const id of [execution.id, "exe_none", execution.id]) await receiveCallback(context, from(id));
    expect(woken).toEqual(["reconcile", "reconcile", "reconcile"]);
    expect(await listCallbacks(store.db, execution.id, "", 9)).toEqual([]);
    expect(await findExecution(store.db, execution.id)).toEqual(before);
    expect(await readInbox(store.db, 9)).toHaveLength(3);

    const all = { owner: null, before: null };
    const shown = await listWithInbox(store.db, execution.id, "", 9);
    expect(shown.map(({ disposition }) => disposition)).toEqual(["received", "duplicate"]);
    const newest = await listAllCallbacks(store.db, all, 1);
    expect(newest.rows).toEqual([shown[1]]);
    const next = await listAllCallbacks(store.db, { ...all, before: String(newest.next) }, 9);
    expect(next).toEqual({ rows: [shown[0]], next: null });
    const duplicates = await listAllCallbacks(store.db, { ...all, disposition: "duplicate" }, 9);
    expect(duplicates.rows).toEqual([shown[1]]);
    expect((await listAllCallbacks(store.db, { ...all, owner: "bob" }, 9)).rows).toEqual([]);

    await fileInbox(context);
    expect(await readInbox(store.db, 9)).toEqual([]);
    expect(await listCallbacks(store.db, execution.id, "", 9)).toEqual(shown);
    expect((await listAllCallbacks(store.db, all, 9)).rows).toEqual(shown.toReversed());
  });

  test("a callback is judged by what was known when it came, however late it is filed", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    await submitted(context, 2);
    const early = await claimed(context);
    await receiveCallback(context, from(early.execution.id));
    time.pass(1_000);
    await tell(context, early.execution.id, {
      type: "accepted",
      lyceumExecutionId: "lyceum-1",
      status: "running",
      raw: "running",
      found: false,
    });
    const received = await live(context);
    await receiveCallback(context, from(received.execution.id));
    time.pass(1_000);
    await tell(context, received.execution.id, read("completed"));
    await fileInbox(context);
    expect(await readCounters(store.db, "callbacks.")).toMatchObject({ early: 1, received: 1 });
    expect((await findExecution(store.db, early.execution.id))?.dueAt).toBeLessThanOrEqual(time.now());
  });

  test("a callback that comes before the start's answer is early: it waits for it, and the check is then due at once", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    await submitted(context, 1);
    const { execution } = await claimed(context);
    expect(await callBack(context, from(execution.id))).toBe("early");
    expect((await findExecution(store.db, execution.id))?.dueAt).toBe(execution.dueAt);
    await tell(context, execution.id, {
      type: "accepted",
      lyceumExecutionId: "lyceum-1",
      status: "running",
      raw: "running",
      found: false,
    });
    expect(await nextDueAt(store.db, "reconcile")).toBe(time.now());
  });

  test("a callback of an execution in doubt makes the search due now", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    await submitted(context, 1);
    const { execution } = await claimed(context);
    await tell(context, execution.id, { type: "outcome_unknown", detail: "reset" });
    await tell(context, execution.id, { type: "not_found", askedAt: time.now() });
    time.pass(100);
    expect(await callBack(context, from(execution.id))).toBe("received");
    expect(await nextDueAt(store.db, "reconcile")).toBe(time.now());
  });

  test("a callback that comes again is a duplicate and changes nothing but the record of it", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    await submitted(context, 1);
    const { execution } = await live(context);
    await callBack(context, from(execution.id));
    const before = await findExecution(store.db, execution.id);
    time.pass(1_000);
    expect(await callBack(context, from(execution.id))).toBe("duplicate");
    expect(await findExecution(store.db, execution.id)).toEqual(before);
    const kept = await listCallbacks(store.db, execution.id, "", 9);
    expect(kept.map((callback) => callback.disposition)).toEqual(["received", "duplicate"]);
    expect(await listCallbacks(store.db, execution.id, kept[0]?.id ?? "", 9)).toEqual(kept.slice(1));
  });

  test("a callback after the end is late, and one more a duplicate", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    await submitted(context, 2);
    const collecting = await live(context);
    await tell(context, collecting.execution.id, read("completed"));
    const closed = await ended(context, "completed");
    for (const { execution } of [collecting, closed]) {
      const before = await findExecution(store.db, execution.id);
      expect(await callBack(context, from(execution.id))).toBe("late");
      expect(await callBack(context, from(execution.id))).toBe("duplicate");
      expect(await findExecution(store.db, execution.id)).toEqual(before);
    }
    expect(await readCounters(store.db, "callbacks.")).toMatchObject({ late: 2, duplicate: 2 });
  });

  test("a callback is always counted, but stored and reported 32 times at most", async () => {
    const database = await open();
    const { store } = database;
    const context = contextOf(database);
    await submitted(context, 1);
    const { execution } = await live(context);
    for (let time = 0; time < 40; time++) await callBack(context, from(execution.id));
    expect(await listCallbacks(store.db, execution.id, "", 99)).toHaveLength(32);
    const told = await store.db
      .selectFrom("events")
      .select("seq")
      .where("type", "=", "callback.received")
      .execute();
    expect(told).toHaveLength(32);
    expect(await readCounters(store.db, "callbacks.")).toEqual({ received: 1, duplicate: 39 });
  });

  test("a callback of an execution that is not there is answered and leaves no trace", async () => {
    const database = await open();
    const context = contextOf(database);
    expect(await callBack(context, from("exe_none"))).toBeNull();
    await submitted(context, 1);
    const { execution } = await claimed(context);
    await tell(context, execution.id, {
      type: "not_taken",
      retryAt: 0,
      reason: "throttled",
    });
    expect(await callBack(context, from(execution.id))).toBeNull();
    expect(await readCounters(database.store.db, "callbacks.")).toEqual({});
  });
});

onPostgres("a callback", (open) => {
  test("a callback of an execution deleted meanwhile is answered like one of an unknown execution", async () => {
    const database = await open();
    const context = contextOf(database);
    const other = contextOf({ ...database, store: database.connect() });
    await submitted(context, 30);
    for (let round = 0; round < 30; round++) {
      const { execution } = await claimed(context);
      const [answer] = await Promise.all([
        callBack(other, from(execution.id)),
        tell(context, execution.id, { type: "not_taken", retryAt: 0, reason: "throttled" }),
      ]);
      expect([null, "early"]).toContain(answer);
      expect(await listCallbacks(database.store.db, execution.id, "", 9)).toEqual([]);
    }
  });
});
