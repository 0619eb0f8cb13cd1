// From the end that a check reads to the outcome: what belongs to it is fetched while the end is being written.
import { expect, test } from "vitest";
import type { LyceumClient } from "../../src/lyceum/client.ts";
import { logsAnswer, metricsAnswer, recordAnswer, timingAnswer } from "../../src/lyceum/schema.ts";
import { listArtifacts } from "../../src/store/artifacts.ts";
import { createCheck } from "../../src/workers/check.ts";
import { createCollect } from "../../src/workers/collect.ts";
import { type Database, eachDatabase } from "../support/databases.ts";
import { contextOf, live, submitted, tell } from "../support/scene.ts";

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
    await scene.worker.handBack?.();
    expect(await scene.dueAt()).toBe(scene.time.now());
    resolve();
    await checking;
  });

  test("reads a log once more that lacks what the record tells, and finds what came late", async () => {
    const scene = await sceneOf(await open());
    scene.log = ["a"];
    await scene.check();
    expect(await scene.run()).toMatchObject({ status: "collecting" });
    expect(await scene.artifacts()).toContain("logs pending");
    scene.log = ["b", "a"];
    scene.time.pass(5_000);
    await scene.collect();
    expect(scene.calls.slice(4)).toEqual(["logs"]);
    expect(await scene.artifacts()).toEqual(stored);
    expect(await scene.run()).toMatchObject({ status: "succeeded" });
  });
});

eachDatabase("a log that cannot be read", (open) => {
  test.each([
    ["nonsense", 15_000, ["logs"]],
    ["large", 300_000, ["logs", "logs"]],
  ] as const)("being %s is asked for again", async (unreadable, afterMs, asked) => {
    const scene = await sceneOf(await open());
    scene.unreadable = unreadable;
    await scene.check();
    expect(scene.calls.filter((call) => call === "logs")).toEqual(asked);
    expect(await scene.dueAt()).toBe(scene.time.now() + afterMs);
  });
});

/** One live execution, of which a callback says that it is over, and a Lyceum that says so, too. */
async function sceneOf(database: Database) {
  const context = contextOf(database);
  const { db } = database.store;
  await submitted(context, 1);
  const { execution, run } = await live(context);
  await tell(context, execution.id, { fact: "callback" });
  const scene = {
    calls: [] as string[],
    log: ["a", "b"],
    answer: Promise.resolve(),
    isStopping: false,
    /** The log cannot be read: too large even alone, or nonsense. */
    unreadable: null as "large" | "nonsense" | null,
  };
  const now = () => database.time.now();
  const lyceum = {
    record: () => answer("record", recordAnswer.parse(record)),
    timing: () => answer("timing", timingAnswer.parse({ timing: { total: 1 } })),
    metrics: () => answer("metrics", metricsAnswer.parse({ executionId: "L1" })),
    logs: () => answer("logs", logsAnswer.parse(scene.log.map((message) => ({ timestamp: "1", message })))),
  } as unknown as LyceumClient;
  async function answer<T>(name: string, value: T) {
    scene.calls.push(name);
    if (name !== "record") await scene.answer;
    if (name === "logs" && scene.unreadable !== null)
      return { outcome: "unreadable" as const, detail: "?", isTooLarge: scene.unreadable === "large" };
    return { outcome: "ok" as const, value };
  }

  const worker = createCollect(context, {
    lyceum,
    now,
    takesOver: () => !scene.isStopping,
    onRoom: () => {},
  });
  const checker = createCheck(context, { lyceum, now, collect: worker, onRoom: () => {} });
  const row = () =>
    db.selectFrom("executions").selectAll().where("id", "=", execution.id).executeTakeFirstOrThrow();
  return Object.assign(scene, {
    time: database.time,
    execution: { ...execution, lyceumExecutionId: "L1" },
    worker,
    async check(): Promise<void> {
      await checker.runOnce();
      await checker.idle();
      await worker.idle();
    },
    async collect(): Promise<number | null> {
      await worker.runOnce();
      await worker.idle();
      return (await row()).due_at;
    },
    artifacts: async () =>
      (await listArtifacts(db, [execution.id])).map(({ kind, state }) => `${kind} ${state}`).sort(),
    run: () => db.selectFrom("runs").selectAll().where("id", "=", run.id).executeTakeFirst(),
    dueAt: async () => (await row()).due_at,
  });
}

const record = {
  execution_id: "L1",
  status: "completed",
  finish_time: "2026-09-01T08:00:06Z",
  stdout: "a\nb\n",
  stderr: "",
  return_code: 0,
};
