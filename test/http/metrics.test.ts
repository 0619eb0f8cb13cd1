// Metrics in a step and span of the caller's choice: read from Lyceum when they are asked for, and not stored.
import { afterAll, beforeAll, expect, it } from "vitest";
import { image, type RunView, type Service, startService } from "../support/service.ts";

let service: Service;
let run: RunView;
beforeAll(async () => {
  service = await startService();
  run = await service.run(image("delay=2500ms", { execution_type: "gpu.a100" }));
});
afterAll(() => service.close());

const get = (query: string, id = run.id) => service.ann.get(`/v1/runs/${id}/metrics${query}`);
const reads = () => service.emulator.callCounts()["GET /execution/:id/metrics"] ?? 0;
const pointers = (body: { errors?: { pointer: string }[] }) => body.errors?.map(({ pointer }) => pointer);

it("stored metrics are answered without a call to Lyceum", async () => {
  const before = reads();
  const { status, body } = await get("");
  expect([status, body.document.systemRamTotalBytes.length, reads()]).toEqual([200, 1, before]);
});

it("with a step the metrics are read from Lyceum, and the stored ones stay", async () => {
  const stored = (await get("")).body;
  const before = reads();
  const { status, body } = await get("?step=1s");
  expect(status).toBe(200);
  expect(reads()).toBe(before + 1);
  expect(body).toMatchObject({ run_id: run.id, execution_id: stored.execution_id });
  expect(body.document.gpuUtilizationPercent.length).toBeGreaterThan(2);
  expect(body.summary.series.gpu_utilization_percent.samples).toBe(
    body.document.gpuUtilizationPercent.length,
  );
  expect((await get("")).body).toEqual(stored);
});

it("a span is read from its start to its end, in any zone", async () => {
  const startedAt = Date.parse(run.started_at ?? "");
  const start = new Date(startedAt + 1_000).toISOString();
  const end = new Date(startedAt + 2_000 + 2 * 3_600_000).toISOString().replace("Z", "+02:00");
  const { body } = await get(`?step=1s&start=${start}&end=${encodeURIComponent(end)}`);
  const times = body.document.gpuPowerWatt.map(({ timestamp }: { timestamp: string }) => timestamp);
  expect(times).toEqual([start, new Date(startedAt + 2_000).toISOString()]);
});

it("the metrics of a live run can be read", async () => {
  const { id } = await service.submit({ runs: [image("delay=50s", { execution_type: "gpu.a100" })] });
  const live = await service.soleRun(id, (one) => one.executions[0]?.status === "running");
  const { status, body } = await get("?step=1s", live.id);
  expect([status, body.document.gpuPowerWatt.length > 0]).toEqual([200, true]);
  await service.ann.post(`/v1/jobs/${id}/cancel`);
  await service.ended(id);
});

it.each([
  ["step=0s", "query:step"],
  ["step=5", "query:step"],
  ["step=-5s", "query:step"],
  ["step=15s;drop", "query:step"],
  ["start=yesterday", "query:start"],
  ["end=2026-13-01T00:00:00Z", "query:end"],
  ["start=2030-01-01T00:00:00Z&end=2029-01-01T00:00:00Z", "query:start"],
  ["end=2020-01-01T00:00:00Z", "query:end"],
  ["step=1s&start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z", "query:step"],
  ["span=1h", "query:span"],
])("%s is refused without a call to Lyceum", async (query, pointer) => {
  const before = reads();
  const { status, body } = await get(`?${query}`);
  expect([status, pointers(body), reads()]).toEqual([422, [pointer], before]);
});

it("metrics of a run without an execution at Lyceum are a conflict", async () => {
  service.network.lyceumIsUp = false;
  const { id } = await service.submit({ runs: [image()] });
  const waiting = await service.soleRun(id, (one) => one.status === "queued");
  const { status, body } = await get("?step=5s", waiting.id);
  expect([status, body.type]).toEqual([409, "urn:proctor:problem:conflict"]);
  service.network.lyceumIsUp = true;
  await service.ended(id);
});

it("while Lyceum is unavailable, metrics are answered with a reason and Retry-After", async () => {
  service.network.lyceumIsUp = false;
  const { status, body, headers } = await get("?step=5s");
  expect([status, body.type]).toEqual([503, "urn:proctor:problem:lyceum-unavailable"]);
  expect(Number(headers.get("Retry-After"))).toBeGreaterThan(0);
  service.network.lyceumIsUp = true;
});

it("metrics that Lyceum refuses or does not know are unavailable, with Lyceum's words", async () => {
  const odd = { status: 404, type: "application/json", body: '{"detail":"no such series"}' };
  service.emulator.setChaos({ gateway: [{ routes: "artifacts", answer: odd }] });
  const { status, body } = await get("?step=5s");
  service.emulator.setChaos({ gateway: [] });
  expect([status, body.type]).toEqual([404, "urn:proctor:problem:unavailable"]);
  expect(body.detail).toContain("no such series");
});
