// Ending what is queued, alive or a whole job, by hand or by the job's own rules.
import { afterAll, beforeAll, expect, it } from "vitest";
import { image, type Service, startService, until } from "../support/service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService({ settings: { POLL_INTERVAL_MIN: "100ms" } });
});
afterAll(() => service.close());

const alive = (jobId: string) => service.soleRun(jobId, (run) => run.lyceum_execution_id !== null);
const atLyceum = (lyceumId: string | null) =>
  service.emulator.executions().find((one) => one.executionId === lyceumId);
const interruptions = (how: string) =>
  service.emulator.calls().filter((call) => call.route === `/workloads/${how}/:id`).length;

it.concurrent("a queued run is cancelled on the spot and never reaches Lyceum", async () => {
  await using quiet = await startService();
  quiet.network.lyceumIsUp = false;
  const { id } = await quiet.submit({ runs: [image()] });
  const queued = await quiet.soleRun(id, (run) => run.status === "queued" && run.executions.length === 0);
  const answer = await quiet.ann.post(`/v1/runs/${queued.id}/cancel`);
  expect(answer).toMatchObject({ status: 200 });
  const run = await quiet.soleRun(id, (one) => one.status === "cancelled");
  expect(run).toMatchObject({ attempts: 0, error: { code: "cancelled" }, cancellation: { mode: "abort" } });
  expect((await quiet.ann.get(`/v1/jobs/${id}`)).body).toMatchObject({ status: "cancelled", progress: 1 });
  expect(quiet.emulator.executions()).toEqual([]);
});

it.concurrent("a run that is alive is aborted at Lyceum, and cancelled once that is confirmed", async () => {
  const { id } = await service.submit({ runs: [image("delay=50s lag=200")] });
  const run = await alive(id);
  const answer = await service.ann.post(`/v1/runs/${run.id}/cancel`, { mode: "abort" });
  expect(answer.body).toMatchObject({ status: "active", cancellation: { mode: "abort", cause: "request" } });
  const [ended] = await service.ended(id);
  expect(ended).toMatchObject({ status: "cancelled", error: { code: "cancelled" } });
  expect(ended?.executions).toMatchObject([{ status: "aborted" }]);
  expect(atLyceum(run.lyceum_execution_id)?.status).toBe("aborted");
});

it.concurrent.each([
  ["cancelled", "cancelled"],
  ["completed", "succeeded"],
])("a run that ends as %s at Lyceum after a request to stop is %s", async (word, status) => {
  const { id } = await service.submit({ runs: [image(`delay=50s stop=${word}`)] });
  const run = await alive(id);
  const stops = interruptions("stop");
  await service.ann.post(`/v1/runs/${run.id}/cancel`, { mode: "stop" });
  expect(await service.ended(id)).toMatchObject([{ status, cancellation: { mode: "stop" } }]);
  expect(interruptions("stop")).toBeGreaterThan(stops);
});

it.concurrent("a cancelled job ends all of its runs, and cancelling again changes nothing", async () => {
  const { id } = await service.submit({
    runs: [image("delay=50s"), image("delay=50s"), image()],
    max_parallel: 2,
  });
  await until(
    "two live runs",
    async () => (await service.runsOf(id)).filter((run) => run.lyceum_execution_id).length >= 2,
  );
  const first = await service.ann.post(`/v1/jobs/${id}/cancel`);
  expect(first).toMatchObject({ status: 200, body: { cancellation: { mode: "abort", cause: "request" } } });
  const runs = await service.ended(id);
  expect(runs.map((run) => run.status)).toEqual(["cancelled", "cancelled", "cancelled"]);
  const second = await service.ann.post(`/v1/jobs/${id}/cancel`);
  expect(second.body).toMatchObject({ status: "cancelled", counts: { cancelled: 3 } });
  const third = await service.ann.post(`/v1/jobs/${id}/cancel`, { mode: "stop" });
  expect(third).toMatchObject({ status: 200, body: second.body });
});

it.concurrent("a run that has ended stays as it is when it is cancelled", async () => {
  const run = await service.run(image());
  const answer = await service.ann.post(`/v1/runs/${run.id}/cancel`);
  expect(answer).toMatchObject({ status: 200, body: run });
});

it.concurrent("a job that was asked to stop can still be aborted", async () => {
  const { id } = await service.submit({ runs: [image("delay=50s lag=20s")] });
  const run = await alive(id);
  await service.ann.post(`/v1/jobs/${id}/cancel`, { mode: "stop" });
  const calls = () =>
    service.emulator.calls().filter((call) => call.path.endsWith(run.lyceum_execution_id ?? ""));
  await until("the stop", () => calls().some((call) => call.route === "/workloads/stop/:id"));
  const answer = await service.ann.post(`/v1/jobs/${id}/cancel`, { mode: "abort" });
  expect(answer.body.cancellation).toMatchObject({ mode: "abort" });
  await until("the abort", () => calls().some((call) => call.route === "/workloads/abort/:id"));
});

it.concurrent("the first failure cancels the other runs of a job with on_run_failure cancel_rest", async () => {
  const runs = [image("exit=1"), image("delay=50s"), image("delay=50s")];
  const { id } = await service.submit({ runs, on_run_failure: "cancel_rest" });
  const ended = await service.ended(id);
  expect(ended.map((run) => run.status)).toEqual(["failed", "cancelled", "cancelled"]);
  expect(ended[1]).toMatchObject({ cancellation: { cause: "run_failure" } });
  expect((await service.ann.get(`/v1/jobs/${id}`)).body.status).toBe("failed");
});

it.concurrent("a job's deadline fails the runs that have not ended", async () => {
  const { id } = await service.submit({ runs: [image("delay=50s"), image()], deadline_s: 1 });
  const ended = await service.ended(id);
  expect(ended.map((run) => [run.status, run.error?.code ?? null])).toEqual([
    ["failed", "deadline_exceeded"],
    ["succeeded", null],
  ]);
});
