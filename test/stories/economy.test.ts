// The number of calls to Lyceum for a run, counted at Lyceum: with callbacks, and without any.
import { expect, it } from "vitest";
import { image, startService } from "../support/service.ts";

const RUNS = 30;
const job = { runs: Array.from({ length: RUNS }, () => image("delay=200")) };
const settings = { CALLBACK_GRACE: "10s", POLL_INTERVAL_MIN: "100ms" };

it.concurrent("with callbacks, a run needs four calls to Lyceum beyond its start", async () => {
  // No run takes as long as the longest interval, after which a list would be read.
  await using service = await startService({ settings: { ...settings, POLL_INTERVAL_MAX: "20s" } });
  // A first job shows that callbacks can be relied on.
  await service.run(image());
  await service.run(image());
  const before = service.emulator.callCounts();
  await service.ended((await service.submit(job)).id);

  const calls = difference(service.emulator.callCounts(), before);
  expect(starts(calls)).toBe(RUNS);
  expect(calls["GET /workloads/list"] ?? 0).toBe(0);
  expect(sum(calls) - starts(calls)).toBeLessThanOrEqual(4 * RUNS);
  expect((await service.status()).callbacks).toMatchObject({ health: "healthy", missed: 0 });
});

it.concurrent("without callbacks, a run needs at most one more call, beside the shared list", async () => {
  await using service = await startService({
    settings: { ...settings, POLL_INTERVAL_MAX: "500ms", PUBLIC_URL: undefined },
  });
  await service.ended((await service.submit(job)).id);

  const calls = service.emulator.callCounts();
  const lists = calls["GET /workloads/list"] ?? 0;
  expect(starts(calls)).toBe(RUNS);
  expect(lists).toBeGreaterThan(0);
  expect(lists).toBeLessThan(RUNS);
  expect(sum(calls) - starts(calls) - lists).toBeLessThanOrEqual(5 * RUNS);
});

type Counts = Record<string, number>;

function difference(after: Counts, before: Counts): Counts {
  return Object.fromEntries(
    Object.entries(after).map(([route, count]) => [route, count - (before[route] ?? 0)]),
  );
}

function sum(counts: Counts): number {
  // The prices are asked for once, whatever the number of runs.
  const perRun = Object.entries(counts).filter(([route]) => !/machine-types|available-hardware/.test(route));
  return perRun.reduce((total, [, count]) => total + count, 0);
}

function starts(counts: Counts): number {
  return counts["POST /execution/image/start"] ?? 0;
}
