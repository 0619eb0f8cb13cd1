// Lyceum down, broken or refusing: what is nobody's fault fails nobody, and what is the run's own is said readably.
import { expect, it } from "vitest";
import { image, startService, until } from "../support/service.ts";

it.concurrent("while Lyceum is unreachable no run fails and no attempt is used; then every run ends", async () => {
  await using service = await startService();
  service.network.lyceumIsUp = false;
  const { id } = await service.submit({ runs: [image(), image(), image()] });
  await until("a start that met nobody", () =>
    service.logLines.some((line) => line.includes('"unreachable"')),
  );
  await until("the way back to the queue", async () =>
    (await service.runsOf(id)).every((run) => run.status === "queued"),
  );
  for (const run of await service.runsOf(id))
    expect(run).toMatchObject({ attempts: 0, error: null, executions: [] });
  expect(service.emulator.calls()).toEqual([]);

  service.network.lyceumIsUp = true;
  const runs = await service.ended(id);
  expect(runs.map((run) => [run.status, run.attempts])).toEqual(runs.map(() => ["succeeded", 1]));
  expect(service.emulator.executions()).toHaveLength(3);
});

it.concurrent("an outage while a run is alive leaves it alive", async () => {
  await using service = await startService();
  const { id } = await service.submit({ runs: [image("delay=700 callback=lost")] });
  await service.soleRun(id, (run) => run.lyceum_execution_id !== null);
  service.network.lyceumIsUp = false;
  const failures = () => service.logLines.filter((line) => line.includes('"outcome":"none"')).length;
  await until("several unanswered questions", () => failures() >= 3);
  expect(await service.runsOf(id)).toMatchObject([{ status: "active", error: null }]);
  service.network.lyceumIsUp = true;
  expect(await service.ended(id)).toMatchObject([{ status: "succeeded", attempts: 1 }]);
});

it.concurrent.each(["500", "502", "503", "reset", "html"])(
  "answers such as %s to its questions decide nothing",
  async (effect) => {
    await using service = await startService({ chaos: { read: { [effect]: { next: 3 } } } });
    const run = await service.run(image("delay=50 callback=lost"));
    expect(run).toMatchObject({ status: "succeeded", attempts: 1, error: null });
  },
);

it.concurrent("a token that Lyceum refuses once fails no run", async () => {
  await using service = await startService({ chaos: { unauthorized: { next: 1 } } });
  const run = await service.run(image());
  expect(run).toMatchObject({ status: "succeeded", attempts: 1 });
});

it.concurrent("a request that Lyceum refuses fails its run at once, with Lyceum's reason and without a second try", async () => {
  await using service = await startService();
  const run = await service.run(image("nonsense=1"), {
    retry: { max_attempts: 5, on: ["failed", "system_failure", "timeout", "lost"] },
  });
  expect(run).toMatchObject({ status: "failed", attempts: 1, error: { code: "rejected" } });
  expect(run.error?.detail).toContain("422");
  expect(run.error?.detail).toContain("nonsense");
  expect(run.executions).toMatchObject([{ status: "rejected", lyceum_execution_id: null }]);
  expect(service.starts()).toHaveLength(1);
  expect(await service.ann.get(`/v1/runs/${run.id}/logs`)).toMatchObject({ status: 404 });
});

it.concurrent("an infrastructure failure is retried if the job allows it, and each attempt is recorded", async () => {
  await using service = await startService();
  const job = { retry: { max_attempts: 2, on: ["system_failure"] } };
  const run = await service.run(image("status=system_failure"), job);
  expect(run).toMatchObject({ status: "failed", attempts: 2, error: { code: "system_failure" } });
  expect(run.executions.map((one) => one.status)).toEqual(["system_failure", "system_failure"]);
  expect(new Set(service.emulator.executions().map((one) => one.fileName)).size).toBe(2);
  const first = await service.ann.get(`/v1/runs/${run.id}/output?attempt=1`);
  expect(first.body).toMatchObject({ execution_id: run.executions[0]?.id });
  expect((await service.ann.get(`/v1/runs/${run.id}/output?attempt=3`)).status).toBe(404);
});

it.concurrent("a run past its time limit fails with code timeout, under any status word of Lyceum", async () => {
  await using service = await startService();
  const words = ["timeout", "failed", "aborted"];
  const runs = words.map((word) => image(`delay=3s timeout=${word}`, { timeout: 1 }));
  const { id } = await service.submit({ runs });
  const ended = await service.ended(id);
  expect(ended.map((run) => [run.status, run.error?.code])).toEqual(words.map(() => ["failed", "timeout"]));
});
