// `?wait=`: answered as soon as it has ended, else with today's state, whoever else waits.
import { expect, test } from "vitest";
import { apiKeys, image, type Json, type Service, startService, until } from "../../support/service.ts";
import { heldTimers } from "../listener.ts";

const slow = image("delay=50s");

async function activeJob(service: Service) {
  const job = await service.submit({ runs: [slow] });
  const run = await service.soleRun(job.id, ({ lyceum_execution_id }) => lyceum_execution_id !== null);
  return { job, run };
}

test("a wait for an ended job is answered at once", async () => {
  const { timers, held } = heldTimers(60_000);
  await using service = await startService({ surroundings: { timers } });
  const run = await service.run(image());
  const job = await service.ann.get(`/v1/jobs/${run.job_id}?wait=60s`);
  expect(job).toMatchObject({ status: 200, body: { id: run.job_id, status: "succeeded" } });
  expect((await service.ann.get(`/v1/runs/${run.id}?wait=1m`)).body).toEqual({ ...run, trace_url: null });
  expect(held.size).toBe(0);
});

test("the commit that ends a job answers all waits for it", async () => {
  const { timers, held } = heldTimers(60_000);
  await using service = await startService({ surroundings: { timers } });
  const { job, run } = await activeJob(service);
  const answers = Promise.all([
    service.ann.get(`/v1/jobs/${job.id}?wait=60s`),
    service.reader.get(`/v1/runs/${run.id}?wait=60s`),
  ]);
  await until("both to wait", () => held.size === 2);
  await service.ann.post(`/v1/jobs/${job.id}/cancel`);
  expect(await answers).toMatchObject([
    { status: 200, body: { id: job.id, status: "cancelled", queue: null } },
    { status: 200, body: { id: run.id, status: "cancelled" } },
  ]);
  expect(held.size).toBe(0);
});

test("when the wait is over, the current state is the answer", async () => {
  const { timers, held, fire } = heldTimers(45_000);
  await using service = await startService({ surroundings: { timers } });
  const { job, run } = await activeJob(service);
  const answers = Promise.all([
    service.ann.get(`/v1/jobs/${job.id}?wait=45s`),
    service.ann.get(`/v1/runs/${run.id}?wait=45000ms`),
  ]);
  await until("both to wait", () => held.size === 2);
  fire();
  expect(await answers).toMatchObject([
    { status: 200, body: { status: "active" } },
    { status: 200, body: { status: "active" } },
  ]);
  expect((await service.ann.get(`/v1/jobs/${job.id}?wait=0s`)).body.status).toBe("active");
});

test("a wait of more than a minute, or of no duration, is refused by name", async () => {
  await using service = await startService();
  const { id } = await service.submit({ runs: [slow] });
  const [run] = await service.runsOf(id);
  for (const wait of ["61s", "60001ms", "2m", "30", "soon", "-1s", "", "1e1s", "9".repeat(19)]) {
    for (const path of [`/v1/jobs/${id}`, `/v1/runs/${run?.id}`]) {
      const answer = await service.ann.get(`${path}?wait=${wait}`);
      expect(answer.status).toBe(422);
      expect(answer.body.errors.map(({ pointer }: Json) => pointer)).toEqual(["query:wait"]);
    }
  }
});

test("a wait for anything but an end or an outcome is refused by name", async () => {
  await using service = await startService();
  const { id } = await service.submit({ runs: [slow] });
  const [run] = await service.runsOf(id);
  for (const query of ["wait=1s&for=artifacts", "wait=1s&for=", "for=Outcome"]) {
    for (const path of [`/v1/jobs/${id}`, `/v1/runs/${run?.id}`]) {
      const answer = await service.ann.get(`${path}?${query}`);
      expect(answer.status).toBe(422);
      expect(answer.body.errors.map(({ pointer }: Json) => pointer)).toEqual(["query:for"]);
    }
  }
  for (const query of ["wait=0s&for=end", "wait=0s&for=outcome", "for=outcome"])
    expect((await service.ann.get(`/v1/jobs/${id}?${query}`)).status).toBe(200);
});

test("a wait for another key's job is answered 404 at once, however long it may be", async () => {
  await using service = await startService();
  const { job, run } = await activeJob(service);
  expect((await service.bob.get(`/v1/jobs/${job.id}?wait=60s`)).status).toBe(404);
  expect((await service.bob.get(`/v1/runs/${run.id}?wait=60s`)).status).toBe(404);
});

test("5,000 open waits are all answered", { timeout: 600_000 }, async () => {
  const { timers, held } = heldTimers(60_000);
  await using service = await startService({ surroundings: { timers } });
  const { job } = await activeJob(service);
  const waiting = Array.from({ length: 5_000 }, () => service.ann.get(`/v1/jobs/${job.id}?wait=60s`));
  const failure = Promise.all(waiting).then(
    () => null,
    (error: Error) => error,
  );
  while (held.size < 5_000) {
    const failed = await Promise.race([failure, new Promise<null>((resolve) => setImmediate(resolve, null))]);
    if (failed !== null) throw failed;
  }
  await service.ann.post(`/v1/jobs/${job.id}/cancel`);
  const told = (await Promise.all(waiting)).map(({ status, body }) => `${status} ${body.status}`);
  expect(new Set(told)).toEqual(new Set(["200 cancelled"]));
  expect(held.size).toBe(0);
});

test("a caller that disconnects leaves no open wait", async () => {
  const { timers, held } = heldTimers(60_000);
  await using service = await startService({ surroundings: { timers } });
  const { job } = await activeJob(service);
  const leaving = new AbortController();
  const asked = fetch(`${service.url()}/v1/jobs/${job.id}?wait=60s`, {
    headers: { Authorization: `Bearer ${apiKeys.ann}` },
    signal: leaving.signal,
  });
  await until("the wait", () => held.size === 1);
  leaving.abort();
  await expect(asked).rejects.toThrow();
  await until("the wait to be over", () => held.size === 0);
});

test("a service that stops answers open waits with the current state", async () => {
  const { timers, held } = heldTimers(60_000);
  await using service = await startService({ surroundings: { timers } });
  const { job } = await activeJob(service);
  const answer = service.ann.get(`/v1/jobs/${job.id}?wait=60s`);
  await until("the wait", () => held.size === 1);
  await service.stop();
  expect(await answer).toMatchObject({ status: 200, body: { id: job.id, status: "active" } });
});
