// The cost of runs, from Lyceum's bill or its prices, up to the totals by day and key.
import { afterAll, beforeAll, expect, it } from "vitest";
import { image, type Json, type Service, startService, until } from "../support/service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService();
  await until("prices", async () => (await service.ann.get("/v1/machine-types")).body.fetched_at);
});
afterAll(() => service.close());

it("a run shows Lyceum's bill, or an estimate by the price of its hardware, and names the source", async () => {
  const billed = await service.run(image("delay=50ms", { execution_type: "gpu.h100" }));
  expect(billed).toMatchObject({ cost: expect.any(Number), cost_source: "billed" });
  const estimated = await service.run(image("delay=50ms bill=withheld", { execution_type: "gpu.h100" }));
  expect(estimated).toMatchObject({ cost_source: "estimated", executions: [{ cost_source: "estimated" }] });
  expect(estimated.cost).toBeCloseTo((2.9 * (estimated.duration_ms ?? 0)) / 3_600_000, 9);
  const unpriced = await service.run(image("bill=withheld", { execution_type: "gpu.of_tomorrow" }));
  expect(unpriced).toMatchObject({ cost: null, cost_source: null });
  const { cost } = (await service.ann.get(`/v1/jobs/${unpriced.job_id}`)).body;
  expect(cost).toEqual({ total: 0, billed: 0, estimated: 0, unpriced: 1 });
});

it("a bill that comes late, or in the history alone, is found before the run is over", async () => {
  for (const bill of ["bill=late bill_lag=50ms", "bill=history"]) {
    const run = await service.run(image(`delay=50ms ${bill}`, { execution_type: "gpu.h100" }));
    expect(run, bill).toMatchObject({ cost_source: "billed" });
    expect(run.cost, bill).toBeCloseTo((2.9 * (run.duration_ms ?? 0)) / 3_600_000, 7);
    const { cost } = (await service.ann.get(`/v1/jobs/${run.job_id}`)).body;
    expect(cost, bill).toEqual({ total: run.cost, billed: run.cost, estimated: 0, unpriced: 0 });
  }
});

it("totals by day and key are kept, and survive the jobs", async () => {
  const run = await service.run(image("delay=30ms", { execution_type: "gpu.b200" }));
  const bobs = await service.bob.post("/v1/jobs", { runs: [image("delay=30ms")] });
  await until("Bob's end", async () => (await service.bob.get(`/v1/jobs/${bobs.body.id}`)).body.ended_at);
  const jobs: Json[] = (await service.admin.get("/v1/jobs")).body.data;
  const sum = (of: (job: Json) => number) => jobs.reduce((total, job) => total + of(job), 0);

  const byDay = (await service.admin.get("/v1/usage")).body;
  expect(byDay.data).toHaveLength(1);
  expect(byDay.data[0]).toMatchObject({ day: byDay.to, executions: sum((job) => job.counts.succeeded) });
  expect(byDay.total.cost.total).toBeCloseTo(
    sum((job) => job.cost.total),
    9,
  );
  expect(byDay.total.cost.unpriced).toBe(1);

  const byKey = (await service.reader.get("/v1/usage?group=key")).body;
  expect(byKey.data.map((row: Json) => row.key)).toEqual(["ann", "bob"]);
  expect((await service.bob.get("/v1/usage?group=key")).body.data).toEqual([byKey.data[1]]);
  expect((await service.bob.get("/v1/usage?key=ann")).body.data).toEqual([]);
  expect((await service.admin.get("/v1/usage?key=ann")).body.total).toEqual(
    expect.objectContaining({ executions: byKey.data[0].executions }),
  );
  const byHardware = (await service.admin.get("/v1/usage?group=hardware")).body;
  expect(byHardware.total).toEqual(byDay.total);
  expect(byHardware.data.map((row: Json) => row.hardware)).toEqual(
    expect.arrayContaining(["gpu.b200", "gpu.h100", "gpu.of_tomorrow"]),
  );
  expect((await service.ann.call("DELETE", `/v1/jobs/${run.job_id}`)).status).toBe(204);
  expect((await service.admin.get("/v1/usage")).body).toEqual(byDay);
});

it("a usage query with invalid, reversed or too many days is refused", async () => {
  for (const query of ["from=2026-13-01", "from=2026-01-02&to=2026-01-01", "from=2020-01-01", "group=hour"])
    expect((await service.ann.get(`/v1/usage?${query}`)).status, query).toBe(422);
  expect((await service.ann.get("/v1/usage?from=2026-01-01&to=2026-01-01")).body).toMatchObject({
    data: [],
    total: { executions: 0, cost: { total: 0 } },
  });
});
