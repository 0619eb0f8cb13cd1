// The inbox: callbacks are filed with what Lyceum says, or by themselves when it says nothing.
import { sql } from "kysely";
import { expect, test } from "vitest";
import { receiveCallback } from "../../../src/orchestration/receive-callback.ts";
import { listCallbacks } from "../../../src/store/callbacks.ts";
import { readInbox } from "../../../src/store/inbox.ts";
import type { Store } from "../../../src/store/store.ts";
import { eachDatabase, onPostgres, onSqlite } from "../../support/databases.ts";
import { contextOf, submitted } from "../../support/scene.ts";
import { type Scene, sceneOf, watcher } from "../watcher.ts";

const callback = (executionId: string) => ({
  executionId,
  contentType: null,
  body: Buffer.from("{}"),
  truncated: false,
});

async function dispositionsOf({ db }: Store, id: string) {
  return (await listCallbacks(db, id, "", 99)).map(({ disposition }) => disposition);
}

const inboxOf = ({ context }: Scene) => readInbox(context.store.db, 99);

eachDatabase("the inbox", (open) => {
  test("a callback is filed before or with the record that it asks for", async () => {
    const database = await open();
    const scene = await sceneOf(database, 2);
    const [ended = "", alive = ""] = scene.ids;
    scene.words.set(ended, "completed");
    for (const id of [ended, alive, ended]) await receiveCallback(scene.context, callback(id));
    await scene.work();
    expect(scene.calls.toSorted()).toEqual([`record lyceum-${ended}`, `record lyceum-${alive}`].toSorted());
    expect(await inboxOf(scene)).toEqual([]);
    expect(await dispositionsOf(database.store, ended)).toEqual(["received", "duplicate"]);
    expect(await dispositionsOf(database.store, alive)).toEqual(["received"]);
    expect(await scene.row(ended)).toMatchObject({ phase: "collecting", detected_by: "callback" });
    expect(await scene.row(alive)).toMatchObject({ phase: "watching", callback_at: database.time.now() });
  });

  test("a callback for an unknown execution is dropped without a call to Lyceum", async () => {
    const scene = await sceneOf(await open(), 1);
    await receiveCallback(scene.context, callback("exe_none"));
    await scene.worker.runOnce();
    expect([await inboxOf(scene), scene.count("record")]).toEqual([[], 0]);
  });

  test("callbacks are filed within seconds while Lyceum is not asked, without a busy loop", async () => {
    const { time, store, ...database } = await open();
    const scene = await sceneOf({ time, store, ...database }, 1);
    const [id = ""] = scene.ids;
    scene.awayMs = 600_000;
    for (let sent = 0; sent < 40; sent++) await receiveCallback(scene.context, callback(id));
    expect(await scene.worker.runOnce()).toBe(time.now() + 5_000);
    expect(await inboxOf(scene)).toHaveLength(40);
    const receivedAt = time.now();
    time.pass(5_000);
    await scene.worker.runOnce();
    expect(await inboxOf(scene)).toEqual([]);
    expect(await dispositionsOf(store, id)).toHaveLength(32);
    expect(await scene.row(id)).toMatchObject({ callback_at: receivedAt });
    expect(scene.calls).toEqual([]);
    expect(await scene.worker.runOnce()).toBe(time.now() + 5_000);
    scene.awayMs = 0;
    await scene.work();
    expect(scene.count("record")).toBe(1);
  });

  test("callbacks that come while reads are deferred are filed once a second, and checked when reads may go", async () => {
    const database = await open();
    const { time } = database;
    const scene = await sceneOf(database, 3, { batch: 2 });
    scene.deferredMs = 600_000;
    for (const id of scene.ids) await receiveCallback(scene.context, callback(id));
    time.pass(5_000);
    const filedAt = time.now();
    expect(await scene.worker.runOnce()).toBe(filedAt + 1_000);
    expect(await inboxOf(scene)).toHaveLength(1);
    const filed = (await scene.rows()).filter((row) => row.callback_at !== null);
    expect(filed).toMatchObject([{ due_at: filedAt + 600_000 }, { due_at: filedAt + 600_000 }]);
    time.pass(1_000);
    await scene.worker.runOnce();
    expect(await inboxOf(scene)).toEqual([]);
  });

  test("the silence that a callback meets is recorded with it, and Lyceum is asked again", async () => {
    const database = await open();
    const scene = await sceneOf(database, 1);
    const [id = ""] = scene.ids;
    scene.isSilent = true;
    const receivedAt = database.time.now();
    await receiveCallback(scene.context, callback(id));
    await scene.work();
    expect(await inboxOf(scene)).toEqual([]);
    expect(await scene.row(id)).toMatchObject({ callback_at: receivedAt, phase: "watching" });
    scene.isSilent = false;
    scene.words.set(id, "completed");
    await scene.workFor(60_000);
    expect(await scene.row(id)).toMatchObject({ phase: "collecting", detected_by: "callback" });
  });

  test("a callback that a dead process left behind is due for the next process", async () => {
    const database = await open();
    const scene = await sceneOf(database, 1);
    const [id = ""] = scene.ids;
    await receiveCallback(scene.context, callback(id));
    const next = watcher(contextOf({ ...database, store: database.connect() }), database);
    next.words.set(id, "completed");
    await next.work();
    expect(await inboxOf(scene)).toEqual([]);
    expect(await scene.row(id)).toMatchObject({ phase: "collecting", detected_by: "callback" });
  });

  test("a callback that cannot be filed holds up no other and is tried again", async () => {
    const database = await open();
    const { store, time } = database;
    const scene = await sceneOf(database, 2);
    const [bad = "", good = ""] = scene.ids;
    for (const id of [bad, good]) scene.words.set(id, "completed");
    const heal = await refuseCallbacks(store, bad);
    for (const id of [bad, good]) await receiveCallback(scene.context, callback(id));
    await scene.workFor(20_000);
    expect(await scene.row(good)).toMatchObject({ phase: "collecting", detected_by: "callback" });
    expect(await dispositionsOf(store, good)).toEqual(["received"]);
    expect(await inboxOf(scene)).toMatchObject([{ execution_id: bad }]);
    await heal();
    time.pass(60_000);
    await scene.work();
    expect(await inboxOf(scene)).toEqual([]);
    expect(await dispositionsOf(store, bad)).toHaveLength(1);
  });
});

onSqlite("the inbox", (open) => {
  test("a callback is filed before the answer if reading its record takes seconds, and the record is read once", async () => {
    const database = await open();
    const scene = await sceneOf(database, 1);
    const [id = ""] = scene.ids;
    const answer = Promise.withResolvers<void>();
    scene.onRecord = () => answer.promise;
    await receiveCallback(scene.context, callback(id));
    const receivedAt = database.time.now();
    await scene.worker.runOnce();
    expect(await inboxOf(scene)).toHaveLength(1);
    database.time.pass(5_000);
    await scene.worker.runOnce();
    expect(await inboxOf(scene)).toEqual([]);
    expect(await scene.row(id)).toMatchObject({ callback_at: receivedAt });
    scene.words.set(id, "completed");
    answer.resolve();
    await scene.work();
    expect(scene.count("record")).toBe(1);
    expect(await scene.row(id)).toMatchObject({ phase: "collecting" });
  });
});

onSqlite("the inbox", (open) => {
  test("a callback whose check failed is filed while Lyceum is not asked, without a busy loop", async () => {
    const database = await open();
    const { store, time } = database;
    const scene = await sceneOf(database, 1);
    const [id = ""] = scene.ids;
    scene.onRecord = () => Promise.reject(new Error("a fault"));
    await receiveCallback(scene.context, callback(id));
    await scene.worker.runOnce();
    await scene.worker.idle();
    expect(await inboxOf(scene)).toHaveLength(1);
    scene.awayMs = 600_000;
    expect(await scene.worker.runOnce()).toBeGreaterThan(time.now());
    expect(await inboxOf(scene)).toEqual([]);
    expect(await dispositionsOf(store, id)).toEqual(["received"]);
  });
});

onPostgres("the inbox", (open) => {
  test("instances share the inbox: each callback is filed and checked once", async () => {
    const database = await open();
    const scene = await sceneOf(database, 30);
    const other = watcher(contextOf({ ...database, store: database.connect() }), database);
    for (const id of scene.ids) other.words.set(id, "running");
    await submitted(scene.context, 1);
    await Promise.all(scene.ids.map((id) => receiveCallback(scene.context, callback(id))));
    await Promise.all([scene.work(), other.work()]);
    const records = [...scene.calls, ...other.calls].filter((call) => call.startsWith("record"));
    expect(records.toSorted()).toEqual(scene.ids.map((id) => `record lyceum-${id}`).toSorted());
    expect(await inboxOf(scene)).toEqual([]);
    for (const id of scene.ids) expect(await dispositionsOf(database.store, id)).toEqual(["received"]);
  });
});

/** Makes the database refuse the callbacks of an execution. Returns how to end that. */
async function refuseCallbacks({ db, kind }: Store, executionId: string): Promise<() => Promise<unknown>> {
  if (kind === "sqlite") {
    await sql`create trigger refused before insert on callbacks when new.execution_id = ${sql.lit(executionId)}
      begin select raise(abort, 'refused'); end`.execute(db);
    return () => sql`drop trigger refused`.execute(db);
  }
  await sql`alter table callbacks add constraint refused check (execution_id <> ${sql.lit(executionId)})`.execute(
    db,
  );
  return () => sql`alter table callbacks drop constraint refused`.execute(db);
}
