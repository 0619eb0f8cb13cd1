// Quotas of keys as callers meet them: refused beyond them with what is left, and never given back.
import { expect, it } from "vitest";
import { eachService } from "../support/each-service.ts";
import { image, startService } from "../support/service.ts";

const runs = (count: number) => ({ runs: Array.from({ length: count }, () => image()) });

eachService("a key's quota", { settings: { KEY_QUOTAS: "ann:5/1d,bob:100/1d:3" } }, (of) => {
  it("a key's quota refuses what exceeds the window, says what is left, and counts no repetition", async () => {
    const { ann, admin, network } = of();
    network.lyceumIsUp = false;
    const idempotencyKey = { "Idempotency-Key": "sweep-1" };
    const taken = await ann.post("/v1/jobs", runs(3), idempotencyKey);
    expect(taken.status).toBe(202);
    expect((await ann.post("/v1/jobs", runs(3), idempotencyKey)).status).toBe(200);
    const refused = await ann.post("/v1/jobs", runs(3));
    expect(refused).toMatchObject({
      status: 429,
      body: { type: "urn:proctor:problem:quota-exceeded", detail: expect.stringContaining("has 2 left") },
    });
    expect(refused.headers.get("content-type")).toBe("application/problem+json");
    expect(refused.headers.get("ratelimit-policy")).toBe('"runs";q=5;w=86400');
    expect(refused.headers.get("ratelimit")).toMatch(/^"runs";r=2;t=\d+$/);
    const retryAfterS = Number(refused.headers.get("retry-after"));
    expect(retryAfterS).toBeGreaterThan(0);
    expect(retryAfterS).toBeLessThanOrEqual(86_400);
    // Nothing of it was stored, and what fits is taken.
    expect((await ann.get("/v1/jobs")).body.data).toHaveLength(1);
    expect((await ann.post("/v1/jobs", runs(2))).status).toBe(202);
    expect((await ann.post("/v1/jobs", runs(1))).status).toBe(429);
    expect((await ann.post("/v1/jobs", runs(3), idempotencyKey)).status).toBe(200);
    expect((await admin.post("/v1/jobs", runs(1))).status).toBe(202);
  });

  it("a key's quota is the same when many submissions arrive at once, over a restart, and once jobs are deleted", async () => {
    const { ann } = of();
    const again = await Promise.all(Array.from({ length: 5 }, () => ann.post("/v1/jobs", runs(1))));
    expect(again.map(({ status }) => status)).toEqual([429, 429, 429, 429, 429]);
    const [job] = (await ann.get("/v1/jobs")).body.data;
    await ann.post(`/v1/jobs/${job.id}/cancel`, {});
    await expect.poll(async () => (await ann.get(`/v1/jobs/${job.id}`)).body.ended_at).not.toBeNull();
    expect((await ann.call("DELETE", `/v1/jobs/${job.id}`)).status).toBe(204);
    await of().restart();
    expect((await ann.post("/v1/jobs", runs(1))).status).toBe(429);
  });

  it("limits the runs that wait, also among submissions that share a transaction", async () => {
    const { bob } = of();
    const answers = await Promise.all(Array.from({ length: 6 }, () => bob.post("/v1/jobs", runs(1))));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 202, 202, 429, 429, 429]);
    const refused = await bob.post("/v1/jobs", runs(1));
    expect(refused.headers.get("ratelimit")).toMatch(/^"runs";r=97;t=\d+, "waiting";r=0$/);
    expect(refused.body.detail).toContain("have 3 runs waiting and has 0 left");
    expect((await bob.post("/v1/jobs", runs(4))).body.detail).toContain("split the job");
  });
});

it("a retry by hand counts against the quota of the job's key", async () => {
  await using service = await startService({ settings: { KEY_QUOTAS: "ann:2/1d" } });
  const run = await service.run(image("exit=3"));
  expect(run.status).toBe("failed");
  expect((await service.ann.post(`/v1/runs/${run.id}/retry`)).status).toBe(202);
  const refused = await service.ann.post(`/v1/runs/${run.id}/retry`);
  expect(refused).toMatchObject({ status: 429, body: { type: "urn:proctor:problem:quota-exceeded" } });
});
