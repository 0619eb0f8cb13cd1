// Budgets as callers meet them: of a job, which ends by it, and of a key, which waits.
import { expect, it } from "vitest";
import { image, startService, until } from "../support/service.ts";

it("a job with a used-up budget fails its waiting runs, and its live runs go on", async () => {
  await using service = await startService();
  const runs = Array.from({ length: 6 }, () => image("delay=80ms", { execution_type: "gpu.b200" }));
  const job = await service.submit({ runs, max_parallel: 2, budget: 0.000001 });
  expect(job.budget).toEqual({ limit: 0.000001, spent: 0, reached: false });
  const ended = await service.ended(job.id);
  const started = service.starts().length;
  expect(started).toBeLessThan(6);
  const overBudget = ended.filter((run) => run.error?.code === "budget_reached");
  expect(overBudget).toHaveLength(6 - started);
  expect(ended.filter((run) => run.status === "succeeded")).toHaveLength(started);
  const { status, budget, cost } = (await service.ann.get(`/v1/jobs/${job.id}`)).body;
  expect(status).toBe("failed");
  expect(budget).toEqual({ limit: 0.000001, spent: cost.total, reached: true });
  expect(cost.total).toBeGreaterThanOrEqual(0.000001);
});

it("a budget must be a positive number of credits", async () => {
  await using service = await startService();
  for (const budget of [0, -1, "5", 1e9, 1e-9]) {
    const answer = await service.ann.post("/v1/jobs", { runs: [image()], budget });
    expect(answer.body.errors, String(budget)).toMatchObject([{ pointer: "/budget" }]);
  }
});

it("a key over its budget waits until its window ends, also over a restart, while others go on", async () => {
  await using service = await startService({ settings: { KEY_BUDGETS: "ann:0.000001/1d" } });
  await service.run(image("delay=80ms", { execution_type: "gpu.b200" }));
  const { id } = await service.submit({ runs: [image()] });
  const tomorrow = new Date(Math.ceil(Date.now() / 86_400_000) * 86_400_000).toISOString();
  const waits = async () => (await service.ann.get(`/v1/jobs/${id}`)).body;
  expect(await waits()).toMatchObject({
    status: "queued",
    queue: { estimated_start_at: tomorrow },
    budget: null,
  });
  await service.restart();
  const bobs = await service.bob.post("/v1/jobs", { runs: [image()] });
  await until("Bob's end", async () => (await service.bob.get(`/v1/jobs/${bobs.body.id}`)).body.ended_at);
  expect(await waits()).toMatchObject({ status: "queued", queue: { estimated_start_at: tomorrow } });
  expect((await service.status()).queue.without_wakeup).toBe(0);
  await service.restart({ KEY_BUDGETS: "ann:50/1d" });
  expect(await service.ended(id)).toMatchObject([{ status: "succeeded" }]);
});
