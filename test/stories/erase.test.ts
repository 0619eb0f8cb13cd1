// Deleting a job with its records at Lyceum: promised once, it is carried out whatever comes between.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { image, type Service, startService, until } from "../support/service.ts";

let service: Service;
beforeEach(async () => {
  service = await startService();
});
afterEach(() => service.close());

const remove = (id: string, query = "?remote=true") => service.ann.call("DELETE", `/v1/jobs/${id}${query}`);
const isGone = (id: string) =>
  until("the job's deletion", async () => (await service.ann.get(`/v1/jobs/${id}`)).status === 404);
const left = () => service.emulator.executions().map(({ executionId }) => executionId);

it("deleting a job with remote=true deletes all its records at Lyceum, of earlier attempts and of sub-jobs, too", async () => {
  const { id } = await service.submit({
    runs: [image("exit=1"), { kind: "gpu_selection", code: "1" }],
    retry: { max_attempts: 2, on: ["failed"] },
  });
  await service.ended(id);
  const other = await service.run(image());
  expect(left()).toHaveLength(2 + 4 + 1);
  expect(await remove(id)).toMatchObject({
    status: 202,
    body: { id, deletion_requested_at: expect.any(String) },
  });
  await isGone(id);
  expect(left()).toEqual([other.lyceum_execution_id]);
});

it("deleting a job without remote=true keeps its records at Lyceum", async () => {
  const run = await service.run(image());
  expect((await remove(run.job_id, "")).status).toBe(204);
  expect(left()).toEqual([run.lyceum_execution_id]);
  expect(service.emulator.calls().filter(({ method }) => method === "DELETE")).toEqual([]);
});

it("a job with runs that have not ended is not deleted", async () => {
  const { id } = await service.submit({ runs: [image("delay=50s")] });
  expect((await remove(id)).status).toBe(409);
  await service.ann.post(`/v1/jobs/${id}/cancel`);
});

describe("a remote deletion while Lyceum is unreachable", () => {
  it("a remote deletion while Lyceum is unreachable is kept across a restart, is shown, and is not revoked by a second request", async () => {
    const run = await service.run(image());
    service.network.lyceumIsUp = false;
    expect((await remove(run.job_id)).status).toBe(202);
    expect((await remove(run.job_id, "")).status).toBe(202);
    await service.restart();
    expect((await service.ann.get(`/v1/jobs/${run.job_id}`)).body.deletion_requested_at).not.toBeNull();
    service.network.lyceumIsUp = true;
    await service.restart();
    expect((await remove(run.job_id)).status).toBe(202);
    await isGone(run.job_id);
    expect(left()).toEqual([]);
  });
});
