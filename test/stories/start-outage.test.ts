// Outages of the starts alone: whatever answers them, no run is lost or refused by it, and once it is over all runs end
// well, each started once.
import { describe, expect, it } from "vitest";
import type { Changes } from "../../src/emulator/switches.ts";
import { systemTimers } from "../../src/lib/clock.ts";
import { image, type Service, startService, until } from "../support/service.ts";

type Rule = NonNullable<Changes["gateway"]>[number];

const CONCURRENCY = 4;
const RUNS = 20;
const settings = { IN_DOUBT_AFTER: "4s", SUBMIT_CONCURRENCY: String(CONCURRENCY) };
/** A start's patience of two and a half minutes is over in a moment. */
const timers = { after: (ms: number, fn: () => void) => systemTimers.after(ms === 150_000 ? 300 : ms, fn) };
/** Each story takes some seconds on a machine of its own. */
const PATIENCE_MS = 60_000;
/** In a few seconds, at distances that double. */
const MAX_PROBES = 5;

/** The runs of a job, all ended, that began while every start was answered like this, and two probes as well. */
async function outlive(service: Service, rule: Omit<Rule, "routes">, waiting = RUNS) {
  service.emulator.setChaos({ gateway: [{ routes: "starts", ...rule }] });
  const { id } = await service.submit({ runs: Array.from({ length: waiting }, () => image()) });
  await until("two probes", () => service.starts().length >= CONCURRENCY + 2);
  const paused = (await service.status()).lyceum.starts;
  service.emulator.setChaos({ gateway: [] });
  const sent = service.starts().length;
  const runs = await service.ended(id);
  expect(sent).toBeLessThanOrEqual(CONCURRENCY + MAX_PROBES);
  return { runs, paused, sent };
}

function expectAllWell(service: Service, runs: { status: string; attempts: number }[]): void {
  expect(runs.map(({ status, attempts }) => [status, attempts])).toEqual(runs.map(() => ["succeeded", 1]));
  const markers = service.emulator.executions().map(({ fileName }) => fileName);
  expect([markers.length, new Set(markers).size]).toEqual([runs.length, runs.length]);
  expect(service.rows("select id from executions where status in ('lost', 'rejected')")).toEqual([]);
}

describe("an outage in which every start is answered", () => {
  const answers: [string, Omit<Rule, "routes">, string, RegExp][] = [
    ["with a redirect to a login page", { answer: "login" }, "unreachable", /another server.*302/],
    ["with an HTML page of 403", { answer: "403" }, "unreachable", /another server.*403/],
    ["by a gateway without a backend", { answer: "backend" }, "unreachable", /another server.*404/],
    ["503 by Lyceum", { answer: "unavailable" }, "unavailable", /unavailable.*503/],
    [
      "503 by Lyceum, which asks for two seconds",
      { answer: "unavailable", headers: { "Retry-After": "2" } },
      "unavailable",
      /unavailable/,
    ],
    ["503 by a gateway", { answer: "503" }, "unavailable", /unavailable.*503/],
    ["402", { answer: "credits" }, "unfunded", /credits or quota are used up.*Insufficient credits/],
  ];

  it.concurrent.each(answers)(
    "%s fails no run and uses no attempt, and the operator is told why",
    async (_how, rule, reason, words) => {
      await using service = await startService({ settings });
      const { runs, paused } = await outlive(service, rule);
      expectAllWell(service, runs);
      expect(paused).toMatchObject({ reason, detail: expect.stringMatching(words) });
      expect((await service.status()).lyceum.starts).toEqual({
        ...{ state: "flowing", reason: null, detail: null, since: null, next_probe_at: null },
      });
      const lines = service.logLines.filter((line) => /starts_(paused|resumed)/.test(line));
      expect(lines).toHaveLength(2);
    },
    PATIENCE_MS,
  );

  it.concurrent.each(["500", "reset", "page"] as const)(
    "with %s, though each was taken, loses no run and starts none twice",
    async (answer) => {
      await using service = await startService({ settings });
      const { runs } = await outlive(service, { answer, deed: "done" });
      expectAllWell(service, runs);
    },
    PATIENCE_MS,
  );

  it.concurrent.each(["502", "detail", "silence"] as const)(
    "with %s, and none was taken, costs no more than the runs under way and the probes",
    async (answer) => {
      await using service = await startService({ settings, surroundings: { timers } });
      const { runs, sent } = await outlive(service, { answer });
      const lost = runs.filter(({ status }) => status !== "succeeded");
      expect(lost.map(({ error }) => error?.code)).toEqual(Array.from({ length: sent }, () => "lost"));
    },
    PATIENCE_MS,
  );
});

it.concurrent(
  "sixty waiting runs outlive a 503, and all succeed",
  async () => {
    await using service = await startService({ settings });
    const { runs } = await outlive(service, { answer: "unavailable" }, 60);
    expect(runs).toHaveLength(60);
    expectAllWell(service, runs);
  },
  PATIENCE_MS,
);

it.concurrent("a start that Lyceum accepted but answered with 503 counts as started", async () => {
  await using service = await startService({ settings });
  service.emulator.setChaos({
    gateway: [{ routes: "starts", answer: "unavailable", deed: "done", when: { next: 1 } }],
  });
  const run = await service.run(image("callback=lost"));
  expect(run).toMatchObject({ status: "succeeded", attempts: 1 });
  expect(service.emulator.executions()).toHaveLength(1);
  expect(service.starts()).toHaveLength(1);
});

it.concurrent("a run whose retry is answered 503 keeps its first attempt as its last, until it starts again", async () => {
  await using service = await startService({ settings });
  const spec = image("status=system_failure delay=300");
  const { id } = await service.submit({ runs: [spec], retry: { max_attempts: 2, on: ["system_failure"] } });
  await service.soleRun(id, (run) => run.lyceum_execution_id !== null);
  service.emulator.setChaos({
    gateway: [
      { routes: "starts", answer: "unavailable", headers: { "Retry-After": "8" }, when: { next: 1 } },
    ],
  });
  const why = "select data from events where type = 'run.queued' and data like '%unavailable%'";
  await until("the way back to the queue", () => service.rows(why).length === 1);
  const [waiting] = await service.runsOf(id);
  expect(waiting).toMatchObject({
    status: "queued",
    attempts: 1,
    executions: [{ status: "system_failure" }],
  });
  const [run] = await service.ended(id);
  expect(run?.executions.map(({ status, attempt }) => [status, attempt])).toEqual([
    ["system_failure", 1],
    ["system_failure", 2],
  ]);
});

it.concurrent("a cancellation ends a run whose start is being verified after a 503", async () => {
  await using service = await startService({ settings });
  service.emulator.setChaos({ gateway: [{ routes: "starts", answer: "unavailable" }] });
  const { id } = await service.submit({ runs: [image()] });
  await service.soleRun(id, (run) => run.executions.some(({ in_doubt }) => in_doubt));
  await service.ann.post(`/v1/jobs/${id}/cancel`);
  expect(await service.ended(id)).toMatchObject([{ status: "cancelled", executions: [] }]);
});

it.concurrent("a process that restarts again and again during an outage sends no burst of starts", async () => {
  await using service = await startService({ settings });
  service.emulator.setChaos({ gateway: [{ routes: "starts", answer: "502" }] });
  await service.submit({ runs: Array.from({ length: RUNS }, () => image()) });
  await until("the pause", async () => (await service.status()).lyceum.starts.state === "paused");
  for (let n = 0; n < 4; n++) {
    await service.crash();
    expect((await service.status()).lyceum.starts).toMatchObject({ state: "paused", reason: "unknown" });
  }
  expect(service.starts().length).toBeLessThanOrEqual(CONCURRENCY + MAX_PROBES);
});

it.concurrent("two starts that are answered with the same id are told apart by their markers", async () => {
  await using service = await startService({ settings: { ...settings, SUBMIT_CONCURRENCY: "1" } });
  const { id } = await service.submit({ runs: [image("delay=2500 callback=lost")] });
  const first = await service.soleRun(id, (run) => run.lyceum_execution_id !== null);
  const body = JSON.stringify({ execution_id: first.lyceum_execution_id, status: "pending" });
  service.emulator.setChaos({
    gateway: [{ routes: "starts", answer: { body }, deed: "done", when: { next: 1 } }],
  });
  const second = await service.run(image("delay=100 callback=lost"));
  expect(second).toMatchObject({ status: "succeeded", attempts: 1 });
  expect(second.lyceum_execution_id).not.toBe(first.lyceum_execution_id);
  expect(await service.ended(id)).toMatchObject([{ status: "succeeded", attempts: 1 }]);
  expect(service.emulator.executions()).toHaveLength(2);
});
