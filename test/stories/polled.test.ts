// Stories of a Lyceum whose list, history or answers cannot be relied on, and whose callbacks are lost. Every
// run still ends as it ended at Lyceum.
import { describe, expect, it } from "vitest";
import { image, startService } from "../support/service.ts";

const lost = "callback=lost";
const untilAborted = image("delay=60s callback=lost");

it.concurrent("a list that shows ended runs as alive does not keep them alive, and does not prevent their cancellation", async () => {
  await using service = await startService({ chaos: { list_lag: "1h" } });
  const { id } = await service.submit({
    runs: [image(lost, { timeout: 1 }), image(`${lost} exit=3`, { timeout: 1 }), untilAborted],
  });
  const [, , last] = await service.runsOf(id);
  await service.runAt(id, 0, (run) => run.status === "succeeded");
  await service.runAt(id, 1, (run) => run.status === "failed");
  await service.ann.post(`/v1/runs/${last?.id}/cancel`, {});
  const runs = await service.ended(id);
  expect(runs.map((run) => [run.status, run.return_code])).toEqual([
    ["succeeded", 0],
    ["failed", 3],
    ["cancelled", null],
  ]);
});

describe("a list that cannot be read", () => {
  it.concurrent.each(["page", "403", "500", "empty", "results", "cut"] as const)(
    "(%s) leaves every run its end, and its cancellation",
    async (answer) => {
      await using service = await startService({ chaos: { gateway: [{ routes: "lists", answer }] } });
      const { id } = await service.submit({ runs: [image(lost), image(`${lost} exit=1`), untilAborted] });
      const [, , last] = await service.runsOf(id);
      await service.runAt(id, 2, (run) => run.lyceum_execution_id !== null);
      await service.ann.post(`/v1/runs/${last?.id}/cancel`, {});
      const runs = await service.ended(id);
      expect(runs.map((run) => run.status)).toEqual(["succeeded", "failed", "cancelled"]);
    },
  );
});

it.concurrent("an end under an unknown status word is recognized, and the word is stored", async () => {
  await using service = await startService();
  const runs = [image(`${lost} status=finished`), image(`${lost} status=finished exit=4`)];
  const ended = await service.ended((await service.submit({ runs })).id);
  expect(ended.map((run) => [run.status, run.return_code])).toEqual([
    ["succeeded", 0],
    ["failed", 4],
  ]);
  expect(ended.map((run) => run.executions[0]?.raw_status)).toEqual(["finished", "finished"]);
});

it.concurrent("an unknown status word without an end counts as alive until an abort past the timeout finds nothing", async () => {
  await using service = await startService({ chaos: { end: "withheld" } });
  const { id } = await service.submit({ runs: [image(`${lost} status=finished`, { timeout: 1 })] });
  const run = await service.soleRun(id, (one) => one.executions[0]?.raw_status === "finished");
  expect(run.status).toBe("active");
  await service.ann.post(`/v1/runs/${run.id}/cancel`, {});
  const [ended] = await service.ended(id);
  expect(ended).toMatchObject({ status: "failed" });
  expect(ended?.error?.detail).toContain("finished");
});

it.concurrent("a callback lost while callbacks are relied on is missed within the longest interval", async () => {
  const settings = { POLL_INTERVAL_MAX: "1s", CALLBACK_GRACE: "500ms" };
  await using service = await startService({ settings });
  await service.run(image());
  await service.run(image());
  // Nothing like it has ended before, and its timeout is far away.
  const run = await service.run(image(`${lost} delay=100`, { timeout: 600, execution_type: "gpu.a100" }));
  expect(run).toMatchObject({ status: "succeeded", detected_by: "poll" });
  const [row] = service.rows("select detected_at - ended_at as ms from executions where run_id = ?", run.id);
  expect(row?.ms).toBeLessThan(1_500 + SLOW_MS);
});

/** Tolerance for a machine that does other things, too. The run's timeout is far longer. */
const SLOW_MS = 5_000;

describe("a start whose answer was lost, and whose execution stands in the history alone", () => {
  it.concurrent.each([
    ["pages are clamped to 20", { page: 20, foreign: 150 }],
    ["rows are unreadable", { page: 50, foreign: 120, unreadable: 1 }],
    ["rows shift", { page: 20, foreign: 60, arriving: 3 }],
    ["rows have no order", { page: 50, foreign: 200, order: "unsorted" }],
    ["the oldest come first", { page: 50, foreign: 300, order: "oldest" }],
  ] as const)("is found and not started twice, even if %s", async (_, history) => {
    await using service = await startService({
      settings: { IN_DOUBT_AFTER: "1s" },
      chaos: { answer: { lost: { next: 1 } }, history },
    });
    const run = await service.run(image(lost), {
      on_lost: "retry",
      retry: { max_attempts: 3, on: ["lost"] },
    });
    expect(run).toMatchObject({ status: "succeeded", attempts: 1 });
    expect(service.emulator.executions().filter((one) => one.fileName?.includes("exe_"))).toHaveLength(1);
  });
});

it.concurrent("a start answered with an id that Lyceum does not know is found by its marker", async () => {
  await using service = await startService({
    chaos: { fields: { "start.execution_id": '"not-its-id"' }, fields_when: { next: 1 } },
  });
  const { id } = await service.submit({ runs: [image(`${lost} delay=500`), image(`${lost} delay=900`)] });
  const runs = await service.ended(id);
  expect(runs.map((run) => [run.status, run.attempts])).toEqual([
    ["succeeded", 1],
    ["succeeded", 1],
  ]);
  expect(runs.map((run) => run.lyceum_execution_id)).not.toContain("not-its-id");
});

it.concurrent.each(["status", "parent", "jobs", "wordless"] as const)(
  "a GPU selection whose status is shown in the form of %s ends with its record, and tells its sub-jobs",
  async (selection) => {
    await using service = await startService({ chaos: { selection } });
    const run = await service.run({ kind: "gpu_selection", code: "print(3)" });
    expect(run).toMatchObject({ status: "succeeded" });
    expect(run.gpu_selection?.length).toBeGreaterThan(0);
  },
);
