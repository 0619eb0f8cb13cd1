// Starts are scarce at Lyceum: no more of them than allowed, and a refused one costs a run nothing.
import { expect, it } from "vitest";
import { image, type Service, startService, until } from "../support/service.ts";

/** The most starts that Lyceum accepted within any span of this length. */
function mostWithin(service: Service, windowMs: number): number {
  const times = service.emulator.executions().map((one) => one.acceptedAt);
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + windowMs).length));
}

const several = (count: number) => ({ runs: Array.from({ length: count }, () => image()) });

it.concurrent("no sliding window holds more starts than SUBMIT_LIMIT, across a restart, too", async () => {
  await using service = await startService({ settings: { SUBMIT_LIMIT: "3/1s" } });
  const { id } = await service.submit(several(8));
  await until("the first starts", () => service.starts().length >= 3);
  await service.restart();
  const runs = await service.ended(id);
  expect(runs.map((run) => [run.status, run.attempts])).toEqual(runs.map(() => ["succeeded", 1]));
  // A millisecond less: the emulator stamps a start a moment after the limit counted it.
  expect(mostWithin(service, 950)).toBeLessThanOrEqual(3);
  expect(service.starts()).toHaveLength(8);
});

it.concurrent.each(["seconds", "date", "none"] as const)(
  "a 429 with Retry-After as %s sends the run back to the queue and uses up no attempt",
  async (form) => {
    const chaos = { throttle: { starts: { next: 1 } }, retry_after: form, retry_in: "1s" } as const;
    await using service = await startService({ chaos });
    const { id } = await service.submit(several(1));
    const refused = await until("the 429", () => service.starts().find((call) => call.status === 429));
    const waiting = await service.soleRun(id, (run) => run.status === "queued");
    expect(waiting).toMatchObject({ attempts: 0, executions: [], error: null, lyceum_execution_id: null });
    expect(Date.parse(waiting.not_before ?? "")).toBeGreaterThan(refused.at);
    const { paused_until } = (await service.status()).lyceum.limits.execution;
    expect(paused_until).not.toBeNull();
    if (form === "none") return;
    expect(await service.ended(id)).toMatchObject([{ status: "succeeded", attempts: 1 }]);
    expect(service.starts().map((call) => call.status)).toEqual([429, 200]);
    const [, taken] = service.starts();
    expect((taken?.at ?? 0) - refused.at).toBeGreaterThanOrEqual(form === "seconds" ? 1_000 : 0);
  },
);

it.concurrent("the remaining limit in Lyceum's headers is respected: Lyceum never has to refuse a start", async () => {
  await using service = await startService({
    settings: { SUBMIT_LIMIT: "100/1s" },
    chaos: { limit: { starts: 2, window: "1s" } },
  });
  await service.run(image());
  const { id } = await service.submit(several(5));
  const runs = await service.ended(id);
  expect(runs.map((run) => run.status)).toEqual(runs.map(() => "succeeded"));
  expect(service.starts().filter((call) => call.status === 429)).toEqual([]);
  expect(service.emulator.executions()).toHaveLength(6);
});

it.concurrent("a pause that Lyceum asked for outlives a restart", async () => {
  const chaos = { throttle: { starts: { next: 1 } }, retry_in: "1h" } as const;
  await using service = await startService({ chaos });
  const { id } = await service.submit(several(1));
  await service.soleRun(
    id,
    (run) => run.status === "queued" && run.not_before !== null && service.starts().length === 1,
  );
  await service.restart();
  await service.submit(several(1));
  expect((await service.status()).lyceum.limits.execution.paused_until).not.toBeNull();
  expect(service.starts()).toHaveLength(1);
});

it.concurrent("answers of 429 to reads fail no run", async () => {
  await using service = await startService({ chaos: { throttle: { others: { next: 2 } }, retry_in: "1s" } });
  const run = await service.run(image());
  expect(run).toMatchObject({ status: "succeeded", attempts: 1 });
});

it.concurrent("a job has at most max_parallel live runs, and keys take turns", async () => {
  await using service = await startService({ settings: { SUBMIT_CONCURRENCY: "1" } });
  const runs = Array.from({ length: 4 }, () => image("delay=60"));
  const { id } = await service.submit({ runs, max_parallel: 1 });
  let most = 0;
  await until("the end", async () => {
    const job = (await service.ann.get(`/v1/jobs/${id}`)).body;
    most = Math.max(most, job.counts.active);
    return job.ended_at !== null;
  });
  expect(most).toBe(1);
  const spans = service.emulator.executions().map((one) => [one.acceptedAt, one.finishedAt ?? 0]);
  for (const [index, [acceptedAt = 0]] of spans.entries())
    expect(acceptedAt).toBeGreaterThanOrEqual(spans[index - 1]?.[1] ?? 0);
});

it.concurrent("a single run of one key does not wait behind the sweep of another", async () => {
  await using service = await startService({ settings: { SUBMIT_CONCURRENCY: "1", SUBMIT_LIMIT: "1/1s" } });
  await service.submit({
    name: "sweep",
    runs: Array.from({ length: 50 }, () => image("", { name: "sweep" })),
  });
  await until("the first start", () => service.starts().length === 1);
  const answer = await service.bob.post("/v1/jobs", { runs: [image("", { name: "single" })] });
  expect(answer.status).toBe(202);
  await until("the second start", () => service.emulator.executions().length >= 2);
  expect(service.emulator.executions()[1]?.fileName).toMatch(/-single$/);
});
