// Timing and metrics that come late, in another form, or with an error in their place.
import { expect, it } from "vitest";
import { image, startService } from "../support/service.ts";

it.concurrent.each(["empty", "detail", "error"])(
  "documents that answer with %s at first are asked for again",
  async (gap) => {
    await using service = await startService();
    const run = await service.run(image(`delay=50ms artifact_lag=1500ms artifact_gap=${gap}`));
    expect(run.artifacts).toMatchObject({ timing: { state: "stored" }, metrics: { state: "stored" } });
    const metrics = await service.ann.get(`/v1/runs/${run.id}/metrics`);
    expect(metrics.body.summary.series.system_cpu_usage_percent.samples).toBeGreaterThan(0);
    const timing = await service.ann.get(`/v1/runs/${run.id}/timing`);
    expect(timing.body.timing.total).toBeGreaterThan(0);
  },
);

it.concurrent("a flat timing keeps its start and end, in our form", async () => {
  await using service = await startService();
  const run = await service.run(image("delay=50ms timing=flat"));
  const { timing } = (await service.ann.get(`/v1/runs/${run.id}/timing`)).body;
  expect(timing).toMatchObject({ start_time: run.executions[0]?.started_at, duration: expect.any(Number) });
  expect(Date.parse(timing.end_time) - Date.parse(timing.start_time)).toBe(run.duration_ms);
});

it.concurrent("a log that is too large is given up at once, and the rest of the run goes on", async () => {
  await using service = await startService();
  const run = await service.run(image("delay=50ms fields=logs.logs:@oversize"));
  expect(run).toMatchObject({ status: "succeeded" });
  const { logs, ...others } = run.artifacts;
  expect(logs).toMatchObject({ state: "unavailable", reason: expect.stringContaining("larger") });
  for (const artifact of Object.values(others)) expect(artifact).toMatchObject({ state: "stored" });
});
