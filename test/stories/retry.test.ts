// A retry by hand: a new run in the same job, for one that did not succeed.
import { afterAll, beforeAll, expect, it } from "vitest";
import { image, type Service, startService } from "../support/service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

it("a failed run is retried as a new run that names its origin; the job's status stays", async () => {
  const { id } = await service.submit({ runs: [image("exit=1", { name: "flaky", env: { A: "1" } })] });
  const [failed] = await service.ended(id);
  const answer = await service.ann.post(`/v1/runs/${failed?.id}/retry`);
  expect(answer).toMatchObject({
    status: 202,
    body: { retry_of: failed?.id, job_id: id, name: "flaky", position: 1 },
  });
  expect(answer.headers.get("Location")).toBe(`/v1/runs/${answer.body.id}`);

  const retried = await service.soleRun(id, (run) => run.id === answer.body.id && run.ended_at !== null);
  expect(retried).toMatchObject({ status: "failed", attempts: 1, return_code: 1 });
  const [first, second] = service.emulator.executions();
  expect(second?.body).toMatchObject({ docker_run_cmd: first?.body.docker_run_cmd, docker_run_env: "A=1" });
  expect((await service.ann.get(`/v1/jobs/${id}`)).body).toMatchObject({
    status: "failed",
    counts: { failed: 2 },
  });
  expect((await service.ann.get(`/v1/runs/${failed?.id}`)).body).toEqual({ ...failed, trace_url: null });
});

it("a run that succeeded or is under way is not retried", async () => {
  const succeeded = await service.run(image());
  const { id } = await service.submit({ runs: [image("delay=50s")] });
  const live = await service.soleRun(id, (run) => run.lyceum_execution_id !== null);
  for (const run of [succeeded, live]) {
    const answer = await service.ann.post(`/v1/runs/${run.id}/retry`);
    expect(answer).toMatchObject({ status: 409, body: { type: "urn:proctor:problem:conflict" } });
    expect(answer.body.detail).toContain(run.status === "succeeded" ? "succeeded" : "active");
  }
  await service.ann.post(`/v1/jobs/${id}/cancel`);
});

it("a run of a cancelled job can be retried once the job is terminal", async () => {
  const { id } = await service.submit({ runs: [image("delay=50s")] });
  await service.soleRun(id, (run) => run.lyceum_execution_id !== null);
  await service.ann.post(`/v1/jobs/${id}/cancel`);
  const [cancelled] = await service.ended(id);
  const answer = await service.ann.post(`/v1/runs/${cancelled?.id}/retry`);
  expect(answer.status).toBe(202);
  const again = await service.soleRun(
    id,
    (run) => run.id === answer.body.id && run.lyceum_execution_id !== null,
  );
  expect(again).toMatchObject({ status: "active", cancellation: null });
  await service.ann.post(`/v1/runs/${again.id}/cancel`);
  await service.soleRun(id, (run) => run.id === again.id && run.status === "cancelled");
});
