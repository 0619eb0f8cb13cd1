// Artifacts that are unavailable (not yet, never, no longer), and the deletion of jobs.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { image, type Service, startService } from "../support/service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

const kinds = ["output", "timing", "metrics", "logs"];
const problemOf = async (path: string) => {
  const { status, body, headers } = await service.ann.get(path);
  return { status, type: body.type, detail: body.detail, retryAfter: headers.get("Retry-After") };
};

describe("an artifact", () => {
  it("an artifact of a live run is not ready, and the answer says when to ask again", async () => {
    const { id } = await service.submit({ runs: [image("delay=50s")] });
    const run = await service.soleRun(id, (one) => one.lyceum_execution_id !== null);
    for (const kind of kinds.filter((kind) => kind !== "logs")) {
      const found = await problemOf(`/v1/runs/${run.id}/${kind}`);
      expect(found).toMatchObject({ status: 404, type: "urn:proctor:problem:not-ready", retryAfter: "2" });
      expect(found.detail).toContain("active");
    }
    await service.ann.post(`/v1/jobs/${id}/cancel`);
    await service.ended(id);
  });

  it("an artifact of an unstarted run is not ready, and one of an unknown attempt is not found", async () => {
    service.network.lyceumIsUp = false;
    const { id } = await service.submit({ runs: [image()] });
    const run = await service.soleRun(id, (one) => one.status === "queued");
    expect(await problemOf(`/v1/runs/${run.id}/output`)).toMatchObject({ status: 404 });
    expect(await problemOf(`/v1/runs/${run.id}/output?attempt=2`)).toMatchObject({
      status: 404,
      type: "urn:proctor:problem:not-found",
    });
    service.network.lyceumIsUp = true;
    await service.ended(id);
  });

  it("an artifact of a run that Lyceum refused is unavailable, with the reason", async () => {
    const run = await service.run(image("nonsense=1"));
    for (const kind of kinds) {
      const found = await problemOf(`/v1/runs/${run.id}/${kind}`);
      expect(found).toMatchObject({ status: 404, type: "urn:proctor:problem:unavailable", retryAfter: null });
      expect(found.detail).toContain("rejected");
    }
  });

  it("an artifact of a run that ended before its start is given up, with the reason", async () => {
    service.network.lyceumIsUp = false;
    const { id } = await service.submit({ runs: [image()] });
    const waiting = await service.soleRun(id, (one) => one.status === "queued");
    await service.ann.post(`/v1/jobs/${id}/cancel`);
    const [run] = await service.ended(id);
    service.network.lyceumIsUp = true;
    const givenUp = {
      state: "unavailable",
      reason: expect.stringContaining("cancelled on request"),
      fetched_at: null,
    };
    expect(waiting.artifacts.logs).toEqual({ state: "pending", reason: null, fetched_at: null });
    expect(run?.artifacts).toEqual({ record: givenUp, timing: givenUp, logs: givenUp, metrics: givenUp });
    for (const kind of kinds) {
      const found = await problemOf(`/v1/runs/${run?.id}/${kind}`);
      expect(found).toMatchObject({ status: 404, type: "urn:proctor:problem:unavailable", retryAfter: null });
      expect(found.detail).toBe(run?.artifacts.logs.reason);
    }
  });

  it("a run that Lyceum refused shows its artifacts as given up, with the reason", async () => {
    const { artifacts } = await service.run(image("nonsense=1"));
    for (const { state, reason } of Object.values(artifacts))
      expect([state, reason]).toEqual(["unavailable", expect.stringContaining("rejected")]);
  });

  it("the output has the result as the text that Lyceum sent, and a return code of 32 bits", async () => {
    const result = '[12345678901234567890, 1.0, 1e400, {"a": -0.10}]';
    const fields = { "record.result": result, "record.return_code": "4294967295" };
    await using odd = await startService({ chaos: { fields } });
    const run = await odd.run(image());
    const { text, body } = await odd.ann.get(`/v1/runs/${run.id}/output`);
    expect(text).toContain(`"result":${result}`);
    expect(body).toMatchObject({ run_id: run.id, return_code: 4294967295 });
    expect((await odd.ann.get(`/v1/runs/${run.id}`)).body.return_code).toBe(4294967295);
  });

  it("the artifacts of an earlier attempt can still be read", async () => {
    const run = await service.run(image("exit=4"), { retry: { max_attempts: 2, on: ["failed"] } });
    const [first, second] = run.executions;
    for (const [attempt, execution] of [first, second].entries()) {
      const { body } = await service.ann.get(`/v1/runs/${run.id}/output?attempt=${attempt + 1}`);
      expect(body).toMatchObject({ run_id: run.id, execution_id: execution?.id, return_code: 4 });
    }
  });
});

describe("DELETE of a job", () => {
  it("a job with runs that have not ended cannot be deleted", async () => {
    const { id } = await service.submit({ runs: [image("delay=50s")] });
    const answer = await service.ann.call("DELETE", `/v1/jobs/${id}`);
    expect(answer).toMatchObject({ status: 409, body: { type: "urn:proctor:problem:conflict" } });
    await service.ann.post(`/v1/jobs/${id}/cancel`);
    await service.ended(id);
    expect((await service.ann.call("DELETE", `/v1/jobs/${id}`)).status).toBe(204);
  });

  it("deleting a job removes all of its rows and nothing of another job", async () => {
    const { id: keptId } = await service.run(image());
    const { body: kept } = await service.ann.get(`/v1/runs/${keptId}`);
    const run = await service.run(image());
    const [execution] = run.executions;
    const paths = [
      `/v1/jobs/${run.job_id}`,
      `/v1/jobs/${run.job_id}/runs`,
      `/v1/runs/${run.id}`,
      `/v1/runs/${run.id}/output`,
      `/v1/executions/${execution?.id}`,
      `/v1/executions/${execution?.id}/callbacks`,
    ];
    for (const path of paths) expect((await service.ann.get(path)).status).toBe(200);
    expect((await service.ann.call("DELETE", `/v1/jobs/${run.job_id}`)).status).toBe(204);
    for (const path of paths) expect((await service.ann.get(path)).status).toBe(404);
    expect((await service.ann.call("DELETE", `/v1/jobs/${run.job_id}`)).status).toBe(404);
    for (const table of ["runs", "executions", "events"])
      expect(service.rows(`select 1 from ${table} where job_id = ?`, run.job_id)).toEqual([]);
    for (const table of ["callbacks", "artifacts"])
      expect(service.rows(`select 1 from ${table} where execution_id = ?`, execution?.id)).toEqual([]);
    expect((await service.ann.get(`/v1/runs/${keptId}`)).body).toEqual(kept);
  });
});
