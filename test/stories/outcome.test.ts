// The outcome comes first: whatever follows from an end happens while the artifacts are still being fetched.
import { expect, it } from "vitest";
import { image, type Service, startService } from "../support/service.ts";

/** A run whose log is read a second time a minute after the first, so that it stays `collecting` for the whole story. */
const collecting = (switches = "", more: object = {}) =>
  image(`output=withheld logs=late log_lag=60s ${switches}`, more);
const begin = () => startService({ surroundings: { logSpacingMs: 60_000 } });

async function decided(service: Service, jobId: string) {
  const job = await service.ann.get(`/v1/jobs/${jobId}?wait=60s&for=outcome`);
  expect(job.status).toBe(200);
  return { job: job.body, runs: await service.runsOf(jobId) };
}

it.concurrent("the first failure cancels the other runs before its artifacts are stored, and no further run is started", async () => {
  await using service = await begin();
  const runs = [collecting("exit=3"), ...Array.from({ length: 12 }, () => image())];
  const { id } = await service.submit({ runs, max_parallel: 1, on_run_failure: "cancel_rest" });
  const { job, runs: seen } = await decided(service, id);
  expect(job).toMatchObject({ status: "active", ended_at: null, counts: { collecting: 1, cancelled: 12 } });
  const [first, ...rest] = seen;
  expect(first).toMatchObject({
    status: "collecting",
    outcome: "failed",
    error: { code: "failed" },
    ended_at: null,
  });
  expect(first?.artifacts.logs.state).toBe("pending");
  for (const run of rest)
    expect(run).toMatchObject({ outcome: "cancelled", attempts: 0, cancellation: { cause: "run_failure" } });
  expect(service.starts()).toHaveLength(1);
});

it.concurrent("a run whose artifacts are still fetched holds no place in max_parallel", async () => {
  await using service = await begin();
  const { id } = await service.submit({ runs: [collecting(), collecting(), collecting()], max_parallel: 1 });
  const { job, runs } = await decided(service, id);
  expect(job).toMatchObject({ status: "active", counts: { collecting: 3 } });
  expect(runs.map(({ outcome }) => outcome)).toEqual(["succeeded", "succeeded", "succeeded"]);
});

it.concurrent.each(["given", "withheld"])(
  "a budget used up at the end of a run stops the next start before the artifacts are in, with a bill %s",
  async (bill) => {
    await using service = await begin();
    const paid = collecting(`delay=80ms bill=${bill}`, { execution_type: "gpu.b200" });
    const { id } = await service.submit({ runs: [paid, paid, paid], max_parallel: 1, budget: 0.000001 });
    const { job, runs } = await decided(service, id);
    expect(job).toMatchObject({ counts: { collecting: 1, failed: 2 }, budget: { reached: true } });
    expect(runs.map(({ outcome, error }) => [outcome, error?.code])).toEqual([
      ["succeeded", undefined],
      ["failed", "budget_reached"],
      ["failed", "budget_reached"],
    ]);
    expect(service.starts()).toHaveLength(1);
  },
);

it.concurrent("a run is retried before the artifacts of its failed execution are stored", async () => {
  await using service = await begin();
  const retry = { max_attempts: 2, on: ["failed"] };
  const { id } = await service.submit({ runs: [collecting("exit=3")], retry });
  const { runs } = await decided(service, id);
  expect(runs).toMatchObject([{ status: "collecting", outcome: "failed", attempts: 2 }]);
  expect(service.starts()).toHaveLength(2);
});

it.concurrent("the commit that sets a run's outcome wakes its long polls and event streams", async () => {
  await using service = await begin();
  const { id } = await service.submit({ runs: [collecting("delay=300ms exit=3")] });
  const [run] = await service.runsOf(id);
  const answer = await service.ann.get(`/v1/runs/${run?.id}?wait=60s&for=outcome`);
  expect(answer.body).toMatchObject({ status: "collecting", outcome: "failed", return_code: 3 });
  const { error } = answer.body;
  const events = (await service.ann.get(`/v1/jobs/${id}/events`, { Accept: "application/json" })).body.data;
  // A callback may come after a poll has found the end.
  const ofRun = events.findLast(({ type }: { type: string }) => type.startsWith("run."));
  expect(ofRun).toMatchObject({
    type: "run.collecting",
    data: { outcome: "failed", error, attempt: 1 },
  });
  const rows = (await service.ann.get(`/v1/jobs/${id}/results`)).body.data;
  expect(rows).toMatchObject([{ status: "collecting", outcome: "failed", error_code: "failed" }]);
  const csv = (await service.ann.get(`/v1/jobs/${id}/results`, { Accept: "text/csv" })).text.split("\r\n");
  expect(csv[0]).toMatch(/,outcome$/);
  expect(csv[1]).toMatch(/,failed$/);
});

it.concurrent("a run that is retried by hand in an ended job has an outcome of its own", async () => {
  await using service = await startService();
  const failed = await service.run(image("exit=3"));
  const path = `/v1/jobs/${failed.job_id}?wait=60s`;
  expect((await service.ann.get(`${path}&for=outcome`)).body).toMatchObject({ status: "failed" });
  service.network.lyceumIsUp = false;
  const retried = (await service.ann.post(`/v1/runs/${failed.id}/retry`)).body;
  expect(retried).toMatchObject({ status: "queued", outcome: null });
  const [ended, decidedLater] = [service.ann.get(path), service.ann.get(`${path}&for=outcome`)];
  expect((await ended).body.counts).toMatchObject({ failed: 1, succeeded: 0 });
  await service.ann.post(`/v1/runs/${retried.id}/cancel`);
  expect((await decidedLater).body).toMatchObject({ status: "failed", counts: { failed: 1, cancelled: 1 } });
  expect((await service.ann.get(`/v1/runs/${retried.id}`)).body).toMatchObject({ outcome: "cancelled" });
  expect((await service.ann.get(`/v1/runs/${failed.id}`)).body).toEqual({ ...failed, trace_url: null });
});
