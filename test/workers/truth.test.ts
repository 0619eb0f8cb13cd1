// While callbacks are seen to arrive they are relied on, but not believed to be complete: whatever is lost, the longest
// interval and the grace of a callback bound how long an end stays unknown, with one list for all that live.
import { expect, test } from "vitest";
import { onSqlite } from "../support/databases.ts";
import { live } from "../support/scene.ts";
import { type Scene, sceneOf, seeCallbacks } from "./watcher.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

onSqlite("while callbacks are seen to arrive", (open) => {
  /** So many runs alive whose callbacks never come, though those of others always did. */
  async function healthy(executions: number, waiting = 0): Promise<Scene> {
    return sceneOf(await open(), executions, { timeout: 86_400, waiting, areCallbacksSeen: true });
  }

  test.each([1, 2, 30])("an end without a callback is known in time, with %i alive", async (executions) => {
    const scene = await healthy(executions);
    const [ended = ""] = scene.ids;
    scene.words.set(ended, "completed");
    await scene.workFor(MINUTE);
    expect(await scene.row(ended)).toMatchObject({ phase: "collecting", detected_by: "poll" });
  });

  test("half an hour takes at most 30 lists, for any number of live executions", async () => {
    const scene = await healthy(0, 400);
    const ages: number[] = [];
    const since = new Map<string, number>();
    for (let step = 0; step < 360; step++) {
      seeCallbacks(scene.context, scene);
      if (step % 2 === 0) {
        const { execution } = await live(scene.context);
        scene.words.set(execution.id, "pending");
        since.set(execution.id, 0);
      }
      await scene.workFor(5 * SECOND);
      for (const row of await scene.rows()) {
        const endedAt = since.get(row.id) ?? 0;
        if (row.phase === "watching" && endedAt === 0 && step % 7 === 0) {
          scene.words.set(row.id, row.status === "pending" ? "running" : "completed");
          if (row.status !== "pending") since.set(row.id, scene.time.now());
        }
        if (row.phase === "collecting" && endedAt > 0) {
          ages.push((row.detected_at ?? 0) - endedAt);
          since.set(row.id, -1);
        }
      }
    }
    expect(ages.length).toBeGreaterThan(30);
    expect(Math.max(...ages)).toBeLessThanOrEqual(MINUTE + 5 * SECOND);
    expect(scene.count("list")).toBeLessThanOrEqual(31);
  }, 120_000);

  test("no list is read for runs shorter than the longest interval", async () => {
    const scene = await healthy(20);
    await scene.workFor(59 * SECOND);
    expect(scene.calls).toEqual([]);
  });

  test("an overdue execution is read once by itself, and through the list afterwards", async () => {
    const scene = await healthy(20);
    const { db } = scene.context.store;
    const [overdue = ""] = scene.ids;
    const expected = { expected_end_at: scene.time.now() + SECOND, due_at: scene.time.now() + 31 * SECOND };
    await db.updateTable("executions").set(expected).where("id", "=", overdue).execute();
    await scene.workFor(10 * MINUTE);
    expect(scene.calls.filter((call) => call !== "list")).toEqual([`record lyceum-${overdue}`]);
    expect(scene.count("list")).toBeLessThanOrEqual(10);
  });
});
