// From the end that a check reads to the outcome: what belongs to it is fetched while the end is being written.
import { expect, test } from "vitest";
import { eachDatabase } from "../../support/databases.ts";
import { sceneOf } from "../collecting.ts";

const stored = ["record", "timing", "logs", "metrics"].map((kind) => `${kind} stored`).sort();

eachDatabase("collecting", (open) => {
  test("begins with the end that a callback told of, and needs no round of its own", async () => {
    const scene = await sceneOf(await open());
    await scene.check();
    expect(scene.calls).toEqual(["record", "timing", "logs", "metrics"]);
    expect(await scene.artifacts()).toEqual(stored);
    expect(await scene.run()).toMatchObject({ status: "succeeded" });
  });

  test("is left to its own round while the service stops", async () => {
    const scene = await sceneOf(await open());
    scene.isStopping = true;
    await scene.check();
    expect(scene.calls).toEqual(["record"]);
    expect(await scene.run()).toMatchObject({ status: "collecting" });
    expect(await scene.collect()).toBeNull();
    expect(await scene.artifacts()).toEqual(stored);
    expect(await scene.run()).toMatchObject({ status: "succeeded" });
  });

  test("keeps nothing of an end that was not written", async () => {
    const scene = await sceneOf(await open());
    const begun = scene.worker.begin({ execution: scene.execution, kind: "python" }, null);
    begun?.ended(null);
    await scene.worker.idle();
    expect(scene.calls).toHaveLength(4);
    expect(await scene.artifacts()).toEqual([]);
    expect(await scene.run()).toMatchObject({ status: "active" });
  });

  test("gives back what it holds when nobody will finish it", async () => {
    const scene = await sceneOf(await open());
    const { promise, resolve } = Promise.withResolvers<void>();
    scene.answer = promise;
    const checking = scene.check();
    await expect.poll(async () => (await scene.run())?.status).toBe("collecting");
    expect(await scene.dueAt()).toBeGreaterThan(scene.time.now());
    await scene.worker.release?.();
    expect(await scene.dueAt()).toBe(scene.time.now());
    resolve();
    await checking;
  });

  test("reads a log once more that lacks what the record tells, and finds what came late", async () => {
    const scene = await sceneOf(await open());
    scene.script.logs = () => scene.logOf("a");
    await scene.check();
    expect(await scene.run()).toMatchObject({ status: "collecting" });
    expect(await scene.artifacts()).toContain("logs pending");
    scene.script.logs = () => scene.logOf("b", "a");
    scene.time.pass(5_000);
    await scene.collect();
    expect(scene.calls.slice(4)).toEqual(["logs"]);
    expect(await scene.artifacts()).toEqual(stored);
    expect(await scene.run()).toMatchObject({ status: "succeeded" });
  });
});
