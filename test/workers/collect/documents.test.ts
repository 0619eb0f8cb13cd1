// Documents as they come: late, empty, odd, too large, or not at all; and for how long each is asked for.
import { describe, expect, test } from "vitest";
import type { ArtifactKind } from "../../../src/store/db/schema.ts";
import { onSqlite } from "../../support/databases.ts";
import { type Said, type Script, sceneOf, silence } from "../collecting.ts";

const MINUTE = 60;
const others = (kind: ArtifactKind) =>
  (["record", "timing", "logs", "metrics"] as const).filter((other) => other !== kind);

onSqlite("a document that cannot be used", (open) => {
  const nothingInIt = {
    timing: { timing: {} },
    metrics: { timeRange: {}, gpuPowerWatt: [], systemCpuUsagePercent: [] },
    logs: { total: 0 },
  };

  describe.each(["timing", "metrics", "logs"] as const)("%s", (kind) => {
    test.each([
      ["an error inside 200", { detail: "still being processed" }, "still being processed"],
      ["an error of another form inside 200", { error: "not yet" }, "not yet"],
      ["no field that is due", {}, ""],
      ["nothing in it", nothingInIt[kind], ""],
      ["a refusal", { status: 403, json: { detail: "not for you" } }, "not for you"],
      ["a 404 of Lyceum", { status: 404, json: { detail: "no such thing" } }, "no such thing"],
    ])(
      "with %s is tried at 2, 10 and 30 s, then given up with what was said",
      async (_what, said, reason) => {
        const scene = await sceneOf(await open());
        scene.script[kind] = () => said;
        expect(await scene.toEnd()).toBe(42);
        expect(scene.askedAt(kind)).toEqual([0, 2, 12, 42]);
        const { state, reason: given, document } = await scene.artifact(kind);
        expect({ state, document }).toEqual({ state: "unavailable", document: null });
        expect(given).toContain(reason);
        expect(given).not.toBe("");
        for (const other of others(kind)) expect((await scene.artifact(other)).state).toBe("stored");
        expect(await scene.run()).toMatchObject({ status: "succeeded" });
      },
    );

    test("a document that is full seconds later is kept", async () => {
      const scene = await sceneOf(await open());
      const full = scene.script[kind];
      scene.script[kind] = (seconds) => (seconds < 9 ? { detail: "not yet" } : full(seconds));
      await scene.toEnd();
      expect(scene.askedAt(kind)).toEqual([0, 2, 12]);
      expect((await scene.artifact(kind)).state).toBe("stored");
    });
  });

  test("a document larger than 16 MiB is given up at once, with the reason, and the rest continues", async () => {
    const scene = await sceneOf(await open());
    const text = `{"logs":[],"x":"${"x".repeat(17 * 1024 * 1024)}"}`;
    scene.script.logs = () => ({ text });
    expect(await scene.toEnd()).toBe(0);
    // Once with the others, and once alone.
    expect(scene.askedAt("logs")).toEqual([0, 0]);
    const { state, reason } = await scene.artifact("logs");
    expect([state, reason]).toEqual(["unavailable", expect.stringContaining("larger")]);
    for (const other of others("logs")) expect((await scene.artifact(other)).state).toBe("stored");
  });

  test("metrics of a run that never began are not waited for", async () => {
    const scene = await sceneOf(await open());
    Object.assign(scene.record, { status: "aborted", start_time: null, return_code: null, billed: 0 });
    scene.script.metrics = () => nothingInIt.metrics;
    expect(await scene.toEnd()).toBe(0);
    expect((await scene.artifact("metrics")).state).toBe("unavailable");
  });
});

onSqlite("silence", (open) => {
  const page = { status: 404, json: "default backend - 404" };
  const gateway = { status: 502, json: { detail: "bad gateway" } };

  test.each([
    ["resets", silence],
    ["a page in Lyceum's place", page],
    ["502", gateway],
    ["a redirect", { status: 302, json: {} }],
  ] as [string, Said][])(
    "of one endpoint (%s) while others are answered is given up after five minutes",
    async (_what, said) => {
      const scene = await sceneOf(await open());
      scene.script.metrics = () => said;
      const seconds = await scene.toEnd();
      expect(seconds).toBeGreaterThanOrEqual(5 * MINUTE);
      expect(seconds).toBeLessThan(6 * MINUTE);
      const { state, reason } = await scene.artifact("metrics");
      expect([state, reason]).toEqual(["unavailable", expect.stringContaining("while Lyceum answered")]);
      expect(await scene.run()).toMatchObject({ status: "succeeded" });
    },
  );

  test("silence of the record while others are answered does not keep the run for longer either", async () => {
    const scene = await sceneOf(await open());
    const { execution_id, status } = scene.record;
    scene.script.record = (seconds) => (seconds === 0 ? { execution_id, status } : silence);
    scene.isStopping = true;
    await scene.check();
    scene.time.pass(1_000);
    const seconds = await scene.toEnd();
    expect(seconds).toBeLessThan(6 * MINUTE);
    expect((await scene.artifact("record")).state).toBe("unavailable");
    expect(await scene.run()).toMatchObject({ status: "succeeded" });
  });

  const outage = (script: Script, isAway: (seconds: number) => boolean) => {
    for (const [name, answer] of Object.entries(script) as [keyof Script, Script["logs"]][])
      script[name] = (seconds: number) => (isAway(seconds) ? silence : answer(seconds));
  };

  test("silence that this process slept through costs no document", async () => {
    const scene = await sceneOf(await open());
    scene.script.timing = (seconds) => (seconds < 400 ? silence : { timing: { total: 60 } });
    await scene.check();
    // Frozen, suspended, or its clock was set forward.
    scene.time.pass(390_000);
    await scene.toEnd();
    expect(await scene.artifacts()).toContain("timing stored");
  });

  test("silence of Lyceum as a whole is waited out, and costs no document", async () => {
    const scene = await sceneOf(await open());
    const { record } = scene.script;
    outage(scene.script, (seconds) => seconds < 40 * MINUTE);
    scene.script.record = record;
    const seconds = await scene.toEnd();
    expect(seconds).toBeGreaterThanOrEqual(40 * MINUTE);
    expect(seconds).toBeLessThan(42 * MINUTE);
    for (const kind of others("record")) expect((await scene.artifact(kind)).state).toBe("stored");
  });

  test("silence of Lyceum as a whole that begins while one document is late is waited out, too", async () => {
    const scene = await sceneOf(await open());
    const metrics = scene.script.metrics;
    scene.script.metrics = (seconds) => (seconds < 100 ? { detail: "not yet" } : metrics(seconds));
    outage(scene.script, (seconds) => seconds > 1 && seconds < 20 * MINUTE);
    await scene.toEnd();
    expect((await scene.artifact("metrics")).state).toBe("stored");
  });

  test("silence of Lyceum as a whole is given up after an hour", async () => {
    const scene = await sceneOf(await open());
    const { record } = scene.script;
    outage(scene.script, () => true);
    scene.script.record = record;
    const seconds = await scene.toEnd();
    expect(seconds).toBeGreaterThanOrEqual(60 * MINUTE);
    expect(seconds).toBeLessThan(62 * MINUTE);
    expect((await scene.artifact("logs")).reason).toContain("for an hour");
  });

  test("silence asked for by a rate limit is kept, and loses no document", async () => {
    const scene = await sceneOf(await open());
    const metrics = scene.script.metrics;
    const limited = { status: 429, json: { detail: "slow down" }, headers: { "Retry-After": "600" } };
    scene.script.metrics = (seconds) => (seconds < 20 * MINUTE ? limited : metrics(seconds));
    await scene.toEnd();
    expect(scene.askedAt("metrics").length).toBeLessThan(5);
    expect((await scene.artifact("metrics")).state).toBe("stored");
  });
});

onSqlite("a log", (open) => {
  const lines = Array.from({ length: 9 }, (_, n) => `line ${n}`);

  async function withTail(lateBySeconds: number) {
    const scene = await sceneOf(await open());
    scene.record.stdout = lines.map((line) => `${line}\n`).join("");
    scene.script.logs = (seconds) => scene.logOf(...lines.slice(0, seconds < lateBySeconds ? 1 : 9));
    await scene.toEnd();
    const { document, summary, state } = await scene.artifact("logs");
    return { scene, state, entries: document.length, complete: (summary as { complete: boolean }).complete };
  }

  test("a log whose last lines are late beyond two equal reads is read on, and found whole", async () => {
    const { scene, ...found } = await withTail(8);
    expect(scene.askedAt("logs")).toEqual([0, 5, 15]);
    expect(found).toEqual({ state: "stored", entries: 9, complete: true });
  });

  test("a log whose last lines never come is read six times, further and further apart, and not complete", async () => {
    const { scene, ...found } = await withTail(1e9);
    expect(scene.askedAt("logs")).toEqual([0, 5, 15, 30, 50, 75]);
    expect(found).toEqual({ state: "stored", entries: 1, complete: false });
  });

  test("a log whose record is unknown is complete when it has stopped growing", async () => {
    const scene = await sceneOf(await open());
    Object.assign(scene.record, { stderr: null });
    await scene.toEnd();
    expect(scene.askedAt("logs")).toEqual([0, 5]);
    expect((await scene.artifact("logs")).summary).toMatchObject({ complete: true });
  });

  test("a log that answers nonsense once while it grows loses nothing of what was read, and is read on", async () => {
    const scene = await sceneOf(await open());
    scene.script.logs = (seconds) => {
      if (seconds === 5) return { detail: "overloaded" };
      return seconds < 10 ? scene.logOf("a") : scene.logOf("a", "b");
    };
    await scene.toEnd();
    expect((await scene.artifact("logs")).summary).toMatchObject({ entries: 2, complete: true });
  });
});

onSqlite("metrics", (open) => {
  test.each([
    [60, "5s"],
    [299, "5s"],
    [300, "15s"],
    [4 * 3_600, "15s"],
    [4 * 3_600 + 1, "1m"],
  ])("metrics of a run of %i s are read at a distance of %s", async (lasted, step) => {
    const scene = await sceneOf(await open());
    scene.record.start_time = scene.iso(-lasted);
    await scene.toEnd();
    expect(scene.query.step).toBe(step);
  });

  test("metrics that reach the end are read once", async () => {
    const scene = await sceneOf(await open());
    scene.script.metrics = () => ({ systemCpuUsagePercent: [scene.sample(-60), scene.sample(-5)] });
    await scene.toEnd();
    expect(scene.askedAt("metrics")).toEqual([0]);
  });

  test("metrics that do not reach the end are read once more, one step later", async () => {
    const scene = await sceneOf(await open());
    scene.script.metrics = (seconds) => {
      const late = seconds < 5 ? [] : [scene.sample(-1)];
      return { systemCpuUsagePercent: [scene.sample(-60), scene.sample(-20), ...late] };
    };
    await scene.toEnd();
    expect(scene.askedAt("metrics")).toEqual([0, 5]);
    expect((await scene.artifact("metrics")).document.systemCpuUsagePercent).toHaveLength(3);
  });

  test("metrics of a GPU without a sample of its use are read once more", async () => {
    const scene = await sceneOf(await open());
    scene.record.hardware_profile = "gpu.a100";
    const gpuUtilizationPercent = [scene.sample(-60, 0), scene.sample(-1, 0)];
    scene.script.metrics = (seconds) => ({
      systemCpuUsagePercent: [scene.sample(-60), scene.sample(-1)],
      gpuUtilizationPercent: seconds < 5 ? [] : gpuUtilizationPercent,
    });
    await scene.toEnd();
    expect(scene.askedAt("metrics")).toEqual([0, 5]);
    expect((await scene.artifact("metrics")).summary).toMatchObject({ gpu_idle_share: 1 });
  });
});

onSqlite("timing", (open) => {
  test.each([
    ["start_time", "end_time"],
    ["start", "end"],
    ["startTime", "endTime"],
    ["started_at", "ended_at"],
  ])("timing that is flat keeps %s, %s and the duration, the times in our form", async (start, end) => {
    const scene = await sceneOf(await open());
    scene.script.timing = () => ({
      [start]: "2026-09-01T08:00:05.123456",
      [end]: 1788249665,
      duration: 60,
    });
    await scene.toEnd();
    expect((await scene.artifact("timing")).document).toEqual({
      timing: { start_time: "2026-09-01T08:00:05.123Z", end_time: "2026-09-01T08:01:05.000Z", duration: 60 },
    });
  });
});

onSqlite("a bill", (open) => {
  const costOf = async ({ row }: Awaited<ReturnType<typeof sceneOf>>) => {
    const { cost, cost_source } = await row();
    return [cost, cost_source];
  };

  test("a bill that is there costs no further call", async () => {
    const scene = await sceneOf(await open());
    await scene.toEnd();
    expect(scene.calls).toEqual(["record", "timing", "logs", "metrics"]);
    expect(await costOf(scene)).toEqual([0.5, "billed"]);
  });

  test.each([0, null])("a bill of %s that comes seconds later is found", async (billed) => {
    const scene = await sceneOf(await open());
    await scene.price("cpu", 60);
    scene.script.record = (seconds) => ({ ...scene.record, billed: seconds < 8 ? billed : 0.7 });
    await scene.check();
    expect(await costOf(scene)).toEqual([1, "estimated"]);
    expect(await scene.toEnd()).toBe(10);
    expect(scene.askedAt("record")).toEqual([0, 10]);
    expect(scene.askedAt("history")).toEqual([]);
    expect(await costOf(scene)).toEqual([0.7, "billed"]);
  });

  test("a bill is looked for with the last read of the log", async () => {
    const scene = await sceneOf(await open());
    scene.script.record = (seconds) => ({ ...scene.record, billed: seconds < 29 ? 0 : 0.7 });
    scene.script.logs = (seconds) => scene.logOf(...(seconds < 20 ? ["a"] : ["a", "b"]));
    await scene.toEnd();
    expect(scene.askedAt("logs")).toEqual([0, 5, 15, 30]);
    expect(scene.askedAt("record")).toEqual([0, 30]);
    expect(await costOf(scene)).toEqual([0.7, "billed"]);
  });

  test("a bill that only the history has is taken from there", async () => {
    const scene = await sceneOf(await open());
    scene.record.billed = 0;
    const row = { ...scene.record, billed: 0.7 };
    scene.script.history = () => ({ executions: [row], total_executions: 1 });
    await scene.toEnd();
    expect(scene.askedAt("history")).toEqual([10]);
    expect(await costOf(scene)).toEqual([0.7, "billed"]);
  });

  test("a bill of 0 that stays is the bill in the end", async () => {
    const scene = await sceneOf(await open());
    await scene.price("cpu", 60);
    scene.record.billed = 0;
    await scene.toEnd();
    expect(scene.askedAt("record")).toEqual([0, 10]);
    expect(await costOf(scene)).toEqual([0, "billed"]);
  });

  test("a bill that nobody names leaves the estimate", async () => {
    const scene = await sceneOf(await open());
    await scene.price("cpu", 60);
    scene.record.billed = null;
    await scene.toEnd();
    expect(await costOf(scene)).toEqual([1, "estimated"]);
  });

  test.each([
    ["hardware that costs nothing", {}, 0],
    ["a run that took no time", { start_time: "2026-09-01T08:00:00Z", end_time: "2026-09-01T08:00:00Z" }, 60],
  ])("a bill of 0 for %s is a bill at once", async (_what, changes, price) => {
    const scene = await sceneOf(await open());
    await scene.price("cpu", price);
    Object.assign(scene.record, { billed: 0, ...changes });
    await scene.toEnd();
    expect(scene.askedAt("record")).toEqual([0]);
    expect(await costOf(scene)).toEqual([0, "billed"]);
  });
});
