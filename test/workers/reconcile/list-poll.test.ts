// Polling by one list for all: what is new in it is noted, what is not costs no write, and nothing is overlooked.
import { expect, test } from "vitest";
import { eachDatabase } from "../../support/databases.ts";
import { tell } from "../../support/scene.ts";
import { sceneOf, watcher } from "../watcher.ts";

const SECOND = 1_000;
const LEASE = 300 * SECOND;

eachDatabase("polling", (open, kind) => {
  test("polling asks for a thousand executions with one list, and writes nothing of those that go on", async () => {
    const scene = await sceneOf(await open(), kind === "sqlite" ? 1_000 : 60);
    scene.time.pass(5 * SECOND);
    await scene.work();
    expect(scene.calls).toEqual(["list"]);
    const claimed = await scene.rows();
    scene.time.pass(5 * SECOND);
    await scene.work();
    expect(scene.calls).toEqual(["list", "list"]);
    expect(await scene.rows()).toEqual(claimed);
  });

  test("polling comes as often as the youngest asks for, and ever more seldom as all grow old", async () => {
    const scene = await sceneOf(await open(), 2);
    const waits: number[] = [];
    for (const age of [5, 60, 120, 240, 250]) {
      scene.time.pass(scene.dueAt(age * SECOND));
      const next = await scene.work();
      waits.push((next - scene.time.now()) / SECOND);
    }
    expect(waits).toEqual([5, 15, 30, 60, 50]);
  });

  test.each([
    ["a callback", { type: "callback" }, "record"],
    ["a cancellation", { type: "cancel", cancellation: { mode: "abort", cause: "request" } }, "abort"],
  ] as const)("follows %s that came between its question and the answer", async (_, fact, answer) => {
    const scene = await sceneOf(await open(), 2);
    const [id = ""] = scene.ids;
    scene.time.pass(5 * SECOND);
    await scene.work();
    scene.time.pass(5 * SECOND);
    scene.onList = async () => {
      scene.time.pass(10);
      await tell(scene.context, id, fact);
      scene.time.pass(10);
    };
    await scene.work();
    expect(scene.calls).toEqual(["list", "list", `${answer} lyceum-${id}`]);
  });

  test("polling believes the status where the record is too large to be had", async () => {
    const scene = await sceneOf(await open(), 2);
    const [gone = ""] = scene.ids;
    scene.areRecordsTooLarge = true;
    scene.words.set(gone, "completed");
    scene.time.pass(5 * SECOND);
    await scene.work();
    expect(scene.calls).toEqual(["list", `record lyceum-${gone}`, `status lyceum-${gone}`]);
    expect(await scene.row(gone)).toMatchObject({ phase: "collecting", status: "completed" });
  });

  test("polling reads the record of what has left the list, and notes another word", async () => {
    const scene = await sceneOf(await open(), 3);
    const [gone = "", started = "", same = ""] = scene.ids;
    scene.time.pass(5 * SECOND);
    await scene.work();
    const claimed = await scene.row(same);
    scene.words.set(gone, "completed");
    scene.words.set(started, "running");
    scene.time.pass(5 * SECOND);
    await scene.work();
    expect(scene.calls).toEqual(["list", "list", `record lyceum-${gone}`]);
    expect(await scene.row(gone)).toMatchObject({ phase: "collecting", detected_by: "poll" });
    expect(await scene.row(started)).toMatchObject({ status: "running" });
    expect(await scene.row(same)).toEqual(claimed);
    const rows = await scene.rows();
    scene.calls = [];
    scene.time.pass(5 * SECOND);
    await scene.work();
    expect(scene.calls).toEqual(["list"]);
    expect(await scene.rows()).toEqual(rows);
  });

  test("polling waits with all while Lyceum is silent, and notes the silence of those that are missed alone", async () => {
    const scene = await sceneOf(await open(), 3);
    const [missed = ""] = scene.ids;
    scene.time.pass(61 * SECOND);
    scene.words.delete(missed);
    await scene.work();
    scene.time.pass(15 * SECOND);
    await scene.work();
    expect(await scene.row(missed)).toMatchObject({ unseen_ms: 15 * SECOND });
    const before = await scene.rows();
    scene.isSilent = true;
    scene.time.pass(15 * SECOND);
    const next = await scene.work();
    expect(next).toBeGreaterThan(scene.time.now() + 4 * SECOND);
    const after = await scene.rows();
    expect(after.filter(({ id }) => id !== missed)).toEqual(before.filter(({ id }) => id !== missed));
    expect(await scene.row(missed)).toMatchObject({ unseen_ms: 15 * SECOND, checked_at: null });
  });

  test("polling asks for nobody while Lyceum cannot be reached, whoever calls back, and for all of them afterwards", async () => {
    const scene = await sceneOf(await open(), 2);
    const [first = "", second = ""] = scene.ids;
    for (const id of [first, second]) await tell(scene.context, id, { type: "callback" });
    const waiting = await scene.rows();
    scene.awayMs = 20 * SECOND;
    expect(await scene.work()).toBe(scene.time.now() + 5 * SECOND);
    expect(scene.calls).toEqual([]);
    expect(await scene.rows()).toEqual(waiting);
    scene.awayMs = 0;
    await scene.work();
    expect(scene.calls.toSorted()).toEqual([`record lyceum-${first}`, `record lyceum-${second}`]);
  });

  test("polling takes little by little what is due while many reads wait, and all that is due afterwards", async () => {
    const scene = await sceneOf(await open(), 3, { batch: 1 });
    for (const id of scene.ids) await tell(scene.context, id, { type: "callback" });
    scene.isCrowded = true;
    const rests = await scene.work();
    expect(rests).toBe(scene.time.now() + 250);
    expect(await scene.work()).toBe(rests);
    expect(scene.calls).toHaveLength(1);
    scene.time.pass(250);
    await scene.work();
    expect(scene.calls).toHaveLength(2);
    scene.isCrowded = false;
    scene.time.pass(250);
    await scene.work();
    expect(scene.calls).toHaveLength(3);
  });

  test("polling rests no longer because the clock was set back meanwhile", async () => {
    const scene = await sceneOf(await open(), 2, { batch: 1 });
    for (const id of scene.ids) await tell(scene.context, id, { type: "callback" });
    scene.isCrowded = true;
    await scene.work();
    expect(scene.calls).toHaveLength(1);
    scene.time.pass(-1_000);
    for (const { id } of await scene.rows())
      await scene.context.store.db
        .updateTable("executions")
        .set({ due_at: 1 })
        .where("id", "=", id)
        .execute();
    await scene.work();
    expect(scene.calls).toHaveLength(2);
  });

  test("polling leaves what it watched due at the end of the lease if the process dies, and at once if it stops", async () => {
    const database = await open();
    const scene = await sceneOf(database, 2);
    scene.time.pass(5 * SECOND);
    await scene.work();
    const other = watcher(scene.context, database);
    expect(await other.work()).toBe(scene.time.now() + LEASE);
    expect(other.calls).toEqual([]);
    scene.time.pass(LEASE);
    for (const id of scene.ids) other.words.set(id, "pending");
    await other.work();
    expect(other.calls).toEqual(["list"]);
    await other.worker.release?.();
    expect((await scene.rows()).map((row) => row.due_at)).toEqual([scene.time.now(), scene.time.now()]);
  });

  test("polling stops and gives back its claims when another instance has become the reader of the list", async () => {
    const scene = await sceneOf(await open(), 2);
    scene.time.pass(5 * SECOND);
    await scene.work();
    scene.isReader = false;
    scene.time.pass(5 * SECOND);
    await scene.work();
    expect(scene.calls).toEqual(["list"]);
    expect((await scene.rows()).map((row) => row.due_at)).toEqual([scene.time.now(), scene.time.now()]);
  });

  test("polling reads long lists less often", async () => {
    const scene = await sceneOf(await open(), 2);
    for (let foreign = 0; foreign < 19_998; foreign++) scene.words.set(`foreign-${foreign}`, "running");
    scene.time.pass(5 * SECOND);
    expect(await scene.work()).toBe(scene.time.now() + 40 * SECOND);
  });
});
