// From the end that a check reads to the outcome: what belongs to it is fetched while the end is being written.
import { expect, test } from "vitest";
import { eachDatabase } from "../../support/databases.ts";
import { sceneOf } from "../collecting.ts";

const stored = ["record", "timing", "logs", "metrics"].map((kind) => `${kind} stored`).sort();

eachDatabase("collecting", (open) => {
  test("collecting begins with the end that a callback told of, and needs no round of its own", async () => {
    const scene = await sceneOf(await open());
    await scene.check();
    expect(scene.calls).toEqual(["record", "timing", "logs", "metrics"]);
    expect(await scene.artifacts()).toEqual(stored);
    expect(await scene.run()).toMatchObject({ status: "succeeded" });
  });

  test("collecting is left to its own round while the service stops", async () => {
    const scene = await sceneOf(await open());
    scene.isStopping = true;
    await scene.check();
    expect(scene.calls).toEqual(["record"]);
    expect(await scene.run()).toMatchObject({ status: "collecting" });
    expect(await scene.collect()).toBeNull();
    expect(await scene.artifacts()).toEqual(stored);
    expect(await scene.run()).toMatchObject({ status: "succeeded" });
  });

  test("collecting keeps nothing of an early fetch whose end was not written", async () => {
    const scene = await sceneOf(await open());
    scene.mayFetchEarly = true;
    const subject = { execution: scene.execution, kind: "python" } as const;
    const early = scene.worker.fetchEarly(subject);
    early?.learn(subject, null);
    await scene.worker.idle();
    expect(scene.calls.sort()).toEqual(["logs", "metrics", "timing"]);
    expect(await scene.artifacts()).toEqual([]);
    expect(await scene.run()).toMatchObject({ status: "active" });
  });

  test("requests timing, logs and metrics after a callback before the record is there, with no further call", async () => {
    const scene = await sceneOf(await open());
    scene.mayFetchEarly = true;
    const record = Promise.withResolvers<void>();
    scene.recordAnswer = record.promise;
    const checking = scene.check();
    await expect.poll(() => scene.calls).toHaveLength(4);
    // One round trip: nothing has been answered for the record yet, and all requests have left, the record's first.
    expect(scene.calls[0]).toBe("record");
    expect(scene.calls.slice(1).sort()).toEqual(["logs", "metrics", "timing"]);
    expect(await scene.run()).toMatchObject({ status: "active" });
    record.resolve();
    await checking;
    expect(scene.calls).toHaveLength(4);
    expect(await scene.artifacts()).toEqual(stored);
    expect(await scene.run()).toMatchObject({ status: "succeeded" });
  });

  test("artifacts that are in with the record are stored with the end, in one write", async () => {
    const scene = await sceneOf(await open());
    scene.mayFetchEarly = true;
    const { version } = await scene.row();
    await scene.check();
    expect(await scene.artifacts()).toEqual(stored);
    expect(await scene.run()).toMatchObject({ status: "succeeded" });
    expect(await scene.row()).toMatchObject({ phase: "closed", due_at: null, version: version + 1 });
    expect(await scene.events()).toEqual([
      "execution.completed",
      "run.collecting",
      "run.succeeded",
      "job.succeeded",
    ]);
  });

  test("what has to be fetched again is due from the write of the end on, the bill last", async () => {
    const scene = await sceneOf(await open());
    scene.mayFetchEarly = true;
    scene.record.billed = null;
    scene.script.logs = () => scene.logOf("a");
    const { version } = await scene.row();
    await scene.check();
    const end = scene.time.now();
    expect(await scene.artifacts()).toEqual([
      "logs pending",
      "metrics stored",
      "record pending",
      "timing stored",
    ]);
    expect(await scene.row()).toMatchObject({
      phase: "collecting",
      due_at: end + 5_000,
      version: version + 1,
    });
    expect(await scene.artifact("record")).toMatchObject({ due_at: end + 10_000 });
    scene.record.billed = 0.5;
    scene.script.logs = () => scene.logOf("a", "b");
    await scene.toEnd();
    expect(await scene.run()).toMatchObject({ status: "succeeded" });
    expect(await scene.row()).toMatchObject({ cost: 0.5, cost_source: "billed" });
  });

  test("the end waits for the other artifacts only a moment", async () => {
    const scene = await sceneOf(await open());
    scene.mayFetchEarly = true;
    const answer = Promise.withResolvers<void>();
    scene.answer = answer.promise;
    const checking = scene.check();
    await expect.poll(() => scene.calls).toHaveLength(4);
    await expect
      .poll(async () => {
        scene.time.pass(20);
        return (await scene.run())?.status;
      })
      .toBe("collecting");
    expect(scene.seconds()).toBeLessThan(1);
    expect(await scene.artifacts()).toEqual(["record stored"]);
    answer.resolve();
    await checking;
    expect(scene.calls).toHaveLength(4);
    expect(await scene.artifacts()).toEqual(stored);
    expect(await scene.run()).toMatchObject({ status: "succeeded" });
  });

  test("collecting drops the early fetch of a record that shows no end, and makes none for its next callback", async () => {
    const scene = await sceneOf(await open());
    scene.mayFetchEarly = true;
    Object.assign(scene.record, { status: "running", end_time: null, finish_time: null, return_code: null });
    await scene.check();
    expect(scene.calls).toHaveLength(4);
    expect(await scene.artifacts()).toEqual([]);
    await scene.callBack();
    await scene.check();
    expect(scene.calls.slice(4)).toEqual(["record"]);
    expect(await scene.run()).toMatchObject({ status: "active" });
  });

  test("requests the record alone while calls of its priority are deferred", async () => {
    const scene = await sceneOf(await open());
    const record = Promise.withResolvers<void>();
    scene.recordAnswer = record.promise;
    const checking = scene.check();
    await expect.poll(() => scene.calls).toEqual(["record"]);
    record.resolve();
    await checking;
    expect(scene.calls).toHaveLength(4);
    expect(await scene.artifacts()).toEqual(stored);
  });

  test("collecting gives back what it holds when nobody will finish it", async () => {
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

  test("collecting reads a log once more that lacks what the record tells, and finds what came late", async () => {
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
