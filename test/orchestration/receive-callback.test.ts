// Callbacks: kept as they came, believed in nothing but that a look is due now.
import { expect, test } from "vitest";
import { receiveCallback } from "../../src/orchestration/receive-callback.ts";
import { listCallbacks } from "../../src/store/callbacks.ts";
import { readCounters } from "../../src/store/counters.ts";
import type { Topic } from "../../src/store/db/transaction.ts";
import { nextDueAt } from "../../src/store/execution-claims.ts";
import { findExecution } from "../../src/store/executions.ts";
import { eachDatabase, onPostgres } from "../support/databases.ts";
import { claimed, contextOf, ended, live, read, submitted, tell } from "../support/scene.ts";

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
    expect(await receiveCallback(context, { ...from(execution.id), truncated: true })).toBe("received");
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
    const dispositions = await Promise.all(ids.map((id) => receiveCallback(context, from(id))));
    expect(dispositions).toEqual(["received", "early", null, "duplicate", "duplicate", "duplicate"]);
    const kept = await listCallbacks(store.db, one.id, "", 9);
    expect(kept.map((callback) => callback.disposition)).toEqual(["received", "duplicate", "duplicate"]);
    expect(await readCounters(store.db, "callbacks.")).toEqual({ received: 1, early: 1, duplicate: 3 });
  });

  test("a callback that comes before the start's answer is early: it waits for it, and the check is then due at once", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    await submitted(context, 1);
    const { execution } = await claimed(context);
    expect(await receiveCallback(context, from(execution.id))).toBe("early");
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
    expect(await receiveCallback(context, from(execution.id))).toBe("received");
    expect(await nextDueAt(store.db, "reconcile")).toBe(time.now());
  });

  test("a callback that comes again is a duplicate and changes nothing but the record of it", async () => {
    const database = await open();
    const { store, time } = database;
    const context = contextOf(database);
    await submitted(context, 1);
    const { execution } = await live(context);
    await receiveCallback(context, from(execution.id));
    const before = await findExecution(store.db, execution.id);
    time.pass(1_000);
    expect(await receiveCallback(context, from(execution.id))).toBe("duplicate");
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
      expect(await receiveCallback(context, from(execution.id))).toBe("late");
      expect(await receiveCallback(context, from(execution.id))).toBe("duplicate");
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
    for (let time = 0; time < 40; time++) await receiveCallback(context, from(execution.id));
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
    expect(await receiveCallback(context, from("exe_none"))).toBeNull();
    await submitted(context, 1);
    const { execution } = await claimed(context);
    await tell(context, execution.id, {
      type: "not_taken",
      retryAt: 0,
      reason: "throttled",
    });
    expect(await receiveCallback(context, from(execution.id))).toBeNull();
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
        receiveCallback(other, from(execution.id)),
        tell(context, execution.id, { type: "not_taken", retryAt: 0, reason: "throttled" }),
      ]);
      expect([null, "early"]).toContain(answer);
      expect(await listCallbacks(database.store.db, execution.id, "", 9)).toEqual([]);
    }
  });
});
