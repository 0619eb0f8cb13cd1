// The log of two jobs at once: one line tells a run's life, and every line about one job names it.
import { expect, test } from "vitest";
import { image, startService, until } from "../support/service.ts";

type Line = Record<string, unknown>;

test("each line about an execution names its job, and calls for all jobs name none", async () => {
  const warnings = ["PUBLIC_URL is a loopback address"];
  await using service = await startService({ surroundings: { warnings } });
  const jobs = [
    await service.submit({ runs: [image("exit=3")] }),
    await service.submit({ runs: [image(), image()] }),
  ];
  const jobOf = new Map<unknown, string>();
  for (const { id } of jobs)
    for (const run of await service.ended(id)) {
      jobOf.set(run.id, id);
      for (const execution of run.executions) jobOf.set(execution.id, id);
    }
  const [runId] = jobOf.keys();
  await service.ann.get(`/v1/runs/${runId}`);
  const lines = () => service.logLines.map((line): Line => JSON.parse(line));
  const request = await until("the line of the request", () =>
    lines().find(({ event, route }) => event === "http_request" && route === "/v1/runs/:run"),
  );
  expect(request).toMatchObject({ job_id: jobOf.get(runId), run_id: runId, key_name: "ann", status: 200 });

  const about = lines().filter(({ execution_id, run_id }) => jobOf.has(execution_id) || jobOf.has(run_id));
  const events = new Set(about.map(({ event }) => event));
  for (const event of ["execution_started", "submission", "callback", "lyceum_call", "run_ended"])
    expect(events).toContain(event);
  for (const line of about)
    expect(line).toMatchObject({ job_id: jobOf.get(line.execution_id ?? line.run_id) });

  const calls = lines().filter(({ event }) => event === "lyceum_call");
  const isOfOne = ({ endpoint }: Line) => /\{id\}|\/start/.test(String(endpoint));
  expect(calls.filter((line) => isOfOne(line) && line.job_id === undefined)).toEqual([]);
  expect(calls.filter((line) => !isOfOne(line) && line.job_id !== undefined)).toEqual([]);

  expect(lines().find(({ event }) => event === "setting_warning")).toMatchObject({
    level: "warn",
    msg: warnings[0],
  });
});

test("the line of a retried run has the cost of all its attempts, and a refused request's line the reason", async () => {
  await using service = await startService();
  const work = image("exit=3 delay=50ms", { execution_type: "gpu.h100" });
  const run = await service.run(work, { retry: { max_attempts: 2, on: ["failed"] } });
  const lines = () => service.logLines.map((line): Line => JSON.parse(line));
  const ended = lines().find(({ event }) => event === "run_ended");
  expect(run.executions).toHaveLength(2);
  expect(run.cost).toBeGreaterThan(run.executions[1]?.cost ?? 0);
  expect(ended).toMatchObject({ attempts: 2, cost: run.cost, cost_source: run.cost_source });

  const { id: run_id, job_id } = await service.run(image());
  await service.ann.post(`/v1/runs/${run_id}/retry`);
  const refused = await until("the refusal", () => lines().find(({ status }) => status === 409));
  expect(refused).toMatchObject({ event: "http_request", reason: "conflict", run_id, job_id });
});

test("the line of an ended run has its ids, key, outcome, reason, phases and cost", async () => {
  await using service = await startService();
  const run = await service.run(image("exit=3"));
  const lines = service.logLines.map((line): Line => JSON.parse(line));
  const [ended, ...more] = lines.filter(({ event }) => event === "run_ended");
  expect(more).toEqual([]);
  expect(ended).toMatchObject({
    job_id: run.job_id,
    run_id: run.id,
    execution_id: run.executions[0]?.id,
    key_name: "ann",
    status: "failed",
    error: run.error?.code,
    reason: run.error?.reason,
    attempts: 1,
    cost: run.cost,
    cost_source: run.cost_source,
  });
  for (const phase of ["queued", "submitting", "pending", "running", "noticing", "collecting"])
    expect(ended?.[`${phase}_ms`]).toEqual(expect.any(Number));
});
