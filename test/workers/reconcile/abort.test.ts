// Whose execution is aborted: only one that Lyceum has shown with our marker, or in a record that is nobody else's.
import { expect, test } from "vitest";
import { onSqlite } from "../../support/databases.ts";
import { tell } from "../../support/scene.ts";
import { type Scene, sceneOf } from "../watcher.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

const cancel = (scene: Scene, id: string) =>
  tell(scene.context, id, { type: "cancel", cancellation: { mode: "abort", cause: "request" } });

/** The start of the first execution was answered with the id of the second. */
async function confused(scene: Scene) {
  const [ours = "", others = ""] = scene.ids;
  await tell(scene.context, ours, {
    type: "accepted",
    lyceumExecutionId: `lyceum-${others}`,
    status: "pending",
    raw: "pending",
    found: true,
  });
  return { ours, others };
}

onSqlite("an execution that is cancelled", (open) => {
  test("an execution that is cancelled is read before it is aborted if nothing has shown that the id is its own", async () => {
    const scene = await sceneOf(await open(), 1);
    const [id = ""] = scene.ids;
    await cancel(scene, id);
    await scene.work();
    expect(scene.calls).toEqual([`record lyceum-${id}`, `abort lyceum-${id}`]);
  });

  test("an execution that is cancelled is aborted at once if a list has shown it with its marker", async () => {
    const scene = await sceneOf(await open(), 2);
    const [id = ""] = scene.ids;
    await scene.workFor(30 * SECOND);
    scene.calls = [];
    await cancel(scene, id);
    await scene.work();
    expect(scene.calls[0]).toBe(`abort lyceum-${id}`);
    expect(scene.count("abort")).toBe(1);
  });

  test("an execution that is cancelled does not take another one with it whose id its start was answered with", async () => {
    const scene = await sceneOf(await open(), 2);
    const { ours, others } = await confused(scene);
    await cancel(scene, ours);
    await scene.workFor(5 * MINUTE);
    expect(scene.count(`abort lyceum-${others}`)).toBe(0);
    expect(scene.count(`abort lyceum-${ours}`)).toBeGreaterThan(0);
    expect(await scene.row(others)).toMatchObject({ phase: "watching", status: "pending" });
  });

  test("an execution that is cancelled is not aborted if its record says that it has ended", async () => {
    const scene = await sceneOf(await open(), 1);
    const [id = ""] = scene.ids;
    scene.words.set(id, "completed");
    await cancel(scene, id);
    await scene.work();
    expect(scene.calls).toEqual([`record lyceum-${id}`]);
    expect(await scene.row(id)).toMatchObject({ phase: "collecting", status: "completed" });
  });

  test("an execution that is cancelled is aborted although its record is too large to be read", async () => {
    const scene = await sceneOf(await open(), 1);
    const [id = ""] = scene.ids;
    scene.areRecordsTooLarge = true;
    await cancel(scene, id);
    await scene.work();
    expect(scene.count("abort")).toBe(1);
  });

  test.each([
    { type: "unreachable", detail: "a page" } as const,
    { type: "throttled", retryAfterMs: 60 * MINUTE } as const,
  ])(
    "an execution that is cancelled is known to have ended although its abort is answered $outcome",
    async (answer) => {
      const scene = await sceneOf(await open(), 1);
      const [id = ""] = scene.ids;
      scene.broken.set("abort", answer);
      await cancel(scene, id);
      await scene.workFor(MINUTE);
      expect(scene.count("abort")).toBeLessThan(20);
      scene.words.set(id, "failed");
      await scene.workFor(scene.context.rules.pollMaxMs + SECOND);
      expect(await scene.row(id)).toMatchObject({ phase: "collecting", status: "failed" });
    },
  );

  test.each([
    ["never shows", 0, 2],
    ["shows after a while", 1, 6],
  ])(
    "an execution that is cancelled is not asked for without end while its record %s",
    async (_, aborts, minutes) => {
      const scene = await sceneOf(await open(), 1);
      const [id = ""] = scene.ids;
      scene.broken.set("record", { type: "missing", detail: "unknown" });
      scene.staleWords.set(id, aborts === 0 ? "completed" : "pending");
      await cancel(scene, id);
      await scene.workFor(minutes * MINUTE);
      expect(scene.count("abort")).toBeGreaterThanOrEqual(aborts);
      expect(scene.count("record")).toBeLessThan(20 * minutes);
    },
  );
});
