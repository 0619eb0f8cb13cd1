// The process ends, in good order or not, and the next one on the same database takes everything to its end.
import { expect, it } from "vitest";
import { image, startService, until } from "../support/service.ts";

/** When callbacks have proved reliable, a lost callback is missed only when the run's time is up. */
const short = { timeout: 2 };
const mixed = () => [
  image("delay=900", short),
  image("delay=900 callback=lost", short),
  image("pending=300 delay=300", short),
  image("", short),
];

it.concurrent("runs that are queued, alive and being collected survive a restart", async () => {
  await using service = await startService({ settings: { SUBMIT_CONCURRENCY: "1" } });
  const { id } = await service.submit({ runs: [...mixed(), ...mixed()] });
  await until("some live runs", () => service.emulator.executions().length >= 3);
  await service.restart();
  const runs = await service.ended(id);
  expect(runs.map((run) => [run.status, run.attempts])).toEqual(runs.map(() => ["succeeded", 1]));
  expect(service.emulator.executions()).toHaveLength(runs.length);
});

it.concurrent("polling finds an end whose callback came while the service was stopped", async () => {
  await using service = await startService();
  const { id } = await service.submit({ runs: [image("delay=300 retries=0")] });
  await service.soleRun(id, (run) => run.lyceum_execution_id !== null);
  await service.stop();
  await until("the end at Lyceum", () => service.emulator.executions().every((one) => one.isTerminal));
  await service.restart();
  expect(await service.ended(id)).toMatchObject([{ status: "succeeded", attempts: 1 }]);
});

it.concurrent("a killed process loses no run and starts none twice", async () => {
  await using service = await startService({ settings: { IN_DOUBT_AFTER: "4s", SUBMIT_CONCURRENCY: "1" } });
  const unanswered = image("answer=stall stall=1200 delay=1000 callback=lost", short);
  const { id } = await service.submit({ runs: [unanswered, image(), image()] });
  await until("the start", () => service.emulator.executions().length === 1);
  await service.crash();
  const runs = await service.ended(id);
  expect(runs.map((run) => [run.status, run.attempts])).toEqual(runs.map(() => ["succeeded", 1]));
  expect(service.emulator.executions()).toHaveLength(3);
});

it.concurrent("a cancellation outlives the process that accepted it", async () => {
  await using service = await startService();
  const { id } = await service.submit({ runs: [image("delay=50s")] });
  await service.soleRun(id, (run) => run.lyceum_execution_id !== null);
  service.network.lyceumIsUp = false;
  expect((await service.ann.post(`/v1/jobs/${id}/cancel`)).status).toBe(200);
  await service.restart();
  service.network.lyceumIsUp = true;
  expect(await service.ended(id)).toMatchObject([{ status: "cancelled" }]);
});
