// An execution is given up only when record, list and history are all answered without it, for the whole grace; and what
// is there under another id is found by its marker.
import { expect, test } from "vitest";
import { onSqlite } from "../support/databases.ts";
import { tell } from "../support/scene.ts";
import { sceneOf } from "./watcher.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

onSqlite("a watched execution", (open) => {
  test.each([1, 3])("(of %i) is lost after the grace of answers that lack it", async (executions) => {
    const scene = await sceneOf(await open(), executions);
    const [missing = ""] = scene.ids;
    scene.words.delete(missing);
    await scene.workFor(MINUTE + 100 * SECOND);
    expect(await scene.row(missing)).toMatchObject({ phase: "watching" });
    await scene.workFor(45 * SECOND);
    expect(await scene.row(missing)).toMatchObject({ phase: "orphan", status: "lost" });
    expect(scene.count("history")).toBeGreaterThanOrEqual(8);
  });

  const gateway = { type: "unreachable", detail: "404 with a page" } as const;
  test.each([
    ["record", 1],
    ["record", 3],
    ["list", 1],
    ["list", 3],
    ["history", 1],
    ["history", 3],
  ])(
    "a watched execution is not lost while a gateway's errors replace the %s, of %i",
    async (call, executions) => {
      const scene = await sceneOf(await open(), executions);
      const [missing = ""] = scene.ids;
      scene.words.delete(missing);
      scene.broken.set(call, gateway);
      await scene.workFor(20 * MINUTE);
      expect(await scene.row(missing)).toMatchObject({ phase: "watching", unseen_ms: 0 });
      scene.broken.clear();
      scene.words.set(missing, "running");
      await scene.workFor(2 * MINUTE);
      expect(await scene.row(missing)).toMatchObject({ phase: "watching", status: "running" });
      expect(scene.count("abort")).toBe(0);
    },
  );

  test("a watched execution is not lost while Lyceum refuses to say whether it has the record", async () => {
    const scene = await sceneOf(await open(), 2);
    const [missing = ""] = scene.ids;
    scene.words.delete(missing);
    for (const call of ["record", "status"])
      scene.broken.set(call, { type: "refused", status: 403, detail: "not yours" });
    await scene.workFor(60 * MINUTE);
    expect((await scene.row(missing))?.phase).toBe("watching");
    expect(scene.count("history")).toBeLessThan(40);
  });

  test("a watched execution whose record is gone has ended if the history says so, at what it cost", async () => {
    const scene = await sceneOf(await open(), 1);
    const [gone = ""] = scene.ids;
    scene.words.delete(gone);
    scene.history.push({ execution_id: `lyceum-${gone}`, file_name: gone, status: "completed", billed: 0.5 });
    await scene.workFor(2 * MINUTE);
    expect(await scene.row(gone)).toMatchObject({ phase: "collecting", status: "completed", cost: 0.5 });
  });
});

onSqlite("a history that is throttled for an hour", (open) => {
  test.each([1, 3])(
    "a history that is throttled for an hour does not hide for longer what the record of one of %i says",
    async (executions) => {
      const scene = await sceneOf(await open(), executions);
      const [hidden = ""] = scene.ids;
      scene.words.delete(hidden);
      scene.broken.set("history", { type: "throttled", retryAfterMs: 60 * MINUTE });
      await scene.workFor(5 * MINUTE);
      expect(await scene.row(hidden)).toMatchObject({ phase: "watching" });
      scene.words.set(hidden, "completed");
      await scene.workFor(scene.context.rules.pollMaxMs + SECOND);
      expect(await scene.row(hidden)).toMatchObject({ phase: "collecting", status: "completed" });
    },
  );
});

onSqlite("an execution whose id Lyceum does not know", (open) => {
  test.each([1, 3])(
    "an execution whose id Lyceum does not know of %i is found by its marker in the list and watched on",
    async (executions) => {
      const scene = await sceneOf(await open(), executions);
      const [wrong = ""] = scene.ids;
      scene.idOf.set(wrong, "true-id");
      await scene.workFor(90 * SECOND);
      expect(await scene.row(wrong)).toMatchObject({ phase: "watching", lyceum_execution_id: "true-id" });
      scene.words.set(wrong, "completed");
      await scene.workFor(MINUTE);
      expect(await scene.row(wrong)).toMatchObject({ phase: "collecting", status: "completed" });
    },
  );

  test("an execution whose id Lyceum does not know is found although the clock was set back since its start", async () => {
    const scene = await sceneOf(await open(), 1);
    const [wrong = ""] = scene.ids;
    scene.idOf.set(wrong, "true-id");
    const hour = 60 * MINUTE;
    await scene.context.store.db
      .updateTable("executions")
      .set({ accepted_at: scene.time.now() + hour })
      .execute();
    await scene.workFor(2 * MINUTE);
    expect(await scene.row(wrong)).toMatchObject({ lyceum_execution_id: "true-id" });
  });

  test("an execution whose id Lyceum does not know is found in the history once it has ended", async () => {
    const scene = await sceneOf(await open(), 1);
    const [wrong = ""] = scene.ids;
    scene.idOf.set(wrong, "true-id");
    scene.words.set(wrong, "failed");
    scene.history.push({ execution_id: "true-id", file_name: wrong, status: "failed" });
    await scene.workFor(2 * MINUTE);
    expect(await scene.row(wrong)).toMatchObject({ phase: "collecting", lyceum_execution_id: "true-id" });
  });

  test("an execution whose id Lyceum does not know is searched for if the id fits into no path, and is never requested by that id", async () => {
    const database = await open();
    const scene = await sceneOf(database, 1);
    const [wrong = ""] = scene.ids;
    await database.store.db.updateTable("executions").set({ lyceum_execution_id: ".." }).execute();
    scene.idOf.set(wrong, "true-id");
    await scene.workFor(90 * SECOND);
    expect(await scene.row(wrong)).toMatchObject({ lyceum_execution_id: "true-id", status: "pending" });
    expect(scene.calls.filter((call) => call.includes(".."))).toEqual([]);
  });

  test("an execution whose id Lyceum does not know is never confused with another program's execution under that id", async () => {
    const scene = await sceneOf(await open(), 2);
    const [ours = "", others = ""] = scene.ids;
    // Both starts were answered with the other one's id.
    await tell(scene.context, ours, {
      type: "accepted",
      lyceumExecutionId: `lyceum-${others}`,
      status: "pending",
      raw: "pending",
      found: true,
    });
    scene.words.set(others, "completed");
    await scene.workFor(3 * MINUTE);
    expect(await scene.row(others)).toMatchObject({ phase: "collecting", status: "completed" });
    expect(await scene.row(ours)).toMatchObject({ phase: "watching", lyceum_execution_id: `lyceum-${ours}` });
  });
});

onSqlite("a lost execution that Lyceum had accepted", (open) => {
  async function lost() {
    const scene = await sceneOf(await open(), 1);
    const [id = ""] = scene.ids;
    scene.words.delete(id);
    await scene.workFor(4 * MINUTE);
    expect(await scene.row(id)).toMatchObject({ phase: "orphan", status: "lost" });
    scene.calls = [];
    return { scene, id, events: () => eventsOf(scene, id) };
  }

  const eventsOf = async ({ context }: Awaited<ReturnType<typeof sceneOf>>, id: string) => {
    const db = context.store.db;
    const rows = await db.selectFrom("events").select("type").where("execution_id", "=", id).execute();
    return rows.map(({ type }) => type);
  };

  test("a lost execution that Lyceum had accepted is read before it is aborted, and its cost is booked once it is over", async () => {
    const { scene, id, events } = await lost();
    scene.words.set(id, "running");
    await scene.workFor(70 * SECOND);
    const first = scene.calls.findIndex((call) => call.startsWith("abort"));
    expect(scene.calls[first - 1]).toBe(`record lyceum-${id}`);
    expect(await scene.row(id)).toMatchObject({ phase: "orphan", status: "lost" });
    scene.words.set(id, "aborted");
    const bill = { start_time: "2026-09-01T08:00:00Z", end_time: "2026-09-01T08:01:00Z", billed: 0.75 };
    scene.fields.set(id, bill);
    await scene.workFor(MINUTE);
    expect(await scene.row(id)).toMatchObject({
      phase: "closed",
      status: "lost",
      raw_status: "aborted",
      cost: 0.75,
    });
    expect((await events()).filter((type) => type === "execution.orphaned")).toHaveLength(1);
    const { db } = scene.context.store;
    const job = await db.selectFrom("jobs").selectAll().executeTakeFirstOrThrow();
    expect(job).toMatchObject({ status: "failed", billed_nano: 750_000_000 });
    const usage = await db.selectFrom("usage").selectAll().execute();
    expect(usage).toMatchObject([{ executions: 1, billed_nano: 750_000_000 }]);
  });

  test("a lost execution that Lyceum had accepted is not aborted if its record says that it has ended", async () => {
    const { scene, id } = await lost();
    scene.words.set(id, "completed");
    scene.fields.set(id, { billed: 0.25 });
    await scene.workFor(70 * SECOND);
    expect(await scene.row(id)).toMatchObject({ phase: "closed", raw_status: "completed", cost: 0.25 });
    expect(scene.count("abort")).toBe(0);
  });

  test("a lost execution that Lyceum had accepted whose abort finds nothing is read once more before it is closed", async () => {
    const { scene, id } = await lost();
    scene.words.set(id, "completed");
    scene.fields.set(id, { status: "running", billed: null });
    await scene.workFor(70 * SECOND);
    expect(scene.count("abort")).toBeGreaterThan(0);
    expect((await scene.row(id))?.phase).toBe("orphan");
    scene.fields.set(id, { billed: 0.25 });
    await scene.workFor(MINUTE);
    expect(await scene.row(id)).toMatchObject({ phase: "closed", raw_status: "completed", cost: 0.25 });
  });

  test("a lost execution that Lyceum had accepted is not aborted on the word of somebody else's record", async () => {
    const { scene, id } = await lost();
    scene.words.set(id, "running");
    scene.fields.set(id, { file_name: "exe_01zzzzzzzzzzzzzzzzzzzzzzzz" });
    scene.staleWords.set(id, "completed");
    await scene.workFor(10 * MINUTE);
    expect(scene.count("abort")).toBe(0);
  });

  test("a lost execution that Lyceum had accepted is closed after an hour in which it did not show up", async () => {
    const { scene, id } = await lost();
    await scene.workFor(70 * MINUTE);
    expect((await scene.row(id))?.phase).toBe("closed");
    expect(scene.count("history")).toBeLessThan(40);
  });
});
