// A start whose answer never came may cost money at Lyceum: it is searched for by its marker, never sent again.
import { describe, expect, it } from "vitest";
import { systemTimers } from "../../src/lib/clock.ts";
import { image, type RunView, type Service, startService } from "../support/service.ts";

const patient = { IN_DOUBT_AFTER: "30s" };

/** Nobody tells of the end, so that only the search can find the execution. */
const silent = "callback=lost";

function eventsOf(service: Service, run: RunView): string[] {
  const rows = service.rows("select type from events where run_id = ? order by seq", run.id);
  return rows.map((row) => row.type);
}

const lostAnswers = [
  ["is cut off", "lost"],
  ["is a 500", "500"],
  ["is a proxy's 502", "502"],
  ["is an HTML page with 200", "unreadable"],
] as const;

it.concurrent.each(lostAnswers)(
  "a run whose start was taken while the answer %s is found and ends once",
  async (_, effect) => {
    await using service = await startService({
      settings: patient,
      chaos: { answer: { [effect]: { next: 1 } } },
    });
    const run = await service.run(image(`${silent} delay=600`));
    expect(run).toMatchObject({ status: "succeeded", attempts: 1, detected_by: "poll" });
    expect(service.emulator.executions()).toHaveLength(1);
    expect(service.starts()).toHaveLength(1);
    const events = eventsOf(service, run);
    expect(events).toContain("execution.in_doubt");
    expect(events.indexOf("execution.in_doubt")).toBeLessThan(events.indexOf("execution.accepted"));
  },
);

it.concurrent("a callback resolves a start in doubt at once", async () => {
  await using service = await startService({ settings: patient, chaos: { answer: { lost: { next: 1 } } } });
  const run = await service.run(image());
  expect(run).toMatchObject({ status: "succeeded", attempts: 1 });
  expect(service.emulator.executions()).toHaveLength(1);
});

it.concurrent.each(["1s", "4s"])(
  "one that ended unseen is found in the history before it is given up, with IN_DOUBT_AFTER=%s",
  async (patience) => {
    const settings = { IN_DOUBT_AFTER: patience };
    await using service = await startService({ settings, chaos: { answer: { lost: { next: 1 } } } });
    const run = await service.run(image(silent));
    expect(run).toMatchObject({ status: "succeeded", attempts: 1, return_code: 0 });
    expect(service.emulator.executions()).toHaveLength(1);
  },
);

it.concurrent("a stalled start is not given up while its request is under way, and its late answer is used", async () => {
  await using service = await startService();
  const { id } = await service.submit({ runs: [image("answer=stall stall=700 delay=200")] });
  const held = await service.soleRun(id, (run) => run.executions.length === 1);
  expect(held).toMatchObject({ status: "active", executions: [{ status: "submitting", in_doubt: false }] });
  expect(await service.ended(id)).toMatchObject([{ status: "succeeded", attempts: 1 }]);
  expect(service.starts()).toHaveLength(1);
});

it.concurrent("a start that stalls beyond its time-out is found and not repeated", async () => {
  // Two and a half minutes of patience are over in a third of a second.
  const timers = { after: (ms: number, fn: () => void) => systemTimers.after(ms === 150_000 ? 300 : ms, fn) };
  await using service = await startService({ settings: patient, surroundings: { timers } });
  const run = await service.run(image(`answer=stall stall=4000 delay=2000 ${silent}`));
  expect(run).toMatchObject({ status: "succeeded", attempts: 1 });
  expect(service.emulator.executions()).toHaveLength(1);
  expect(eventsOf(service, run)).toContain("execution.in_doubt");
});

describe("a start that Lyceum did not accept, with an unclear answer", () => {
  const chaos = { answer: { refused: { next: 1 } } };

  it.concurrent("a start that Lyceum did not accept, with an unclear answer is given up after IN_DOUBT_AFTER, and the run fails as lost", async () => {
    await using service = await startService({ settings: { IN_DOUBT_AFTER: "1s" }, chaos });
    const run = await service.run(image());
    expect(run).toMatchObject({ status: "failed", attempts: 1, error: { code: "lost" } });
    expect(run.executions).toMatchObject([{ status: "lost" }]);
    const output = await service.ann.get(`/v1/runs/${run.id}/output`);
    expect(output).toMatchObject({ status: 404, body: { type: "urn:proctor:problem:unavailable" } });
  });

  it.concurrent("a start that Lyceum did not accept, with an unclear answer is started once more with on_lost retry", async () => {
    await using service = await startService({ settings: { IN_DOUBT_AFTER: "1s" }, chaos });
    const run = await service.run(image(), { on_lost: "retry" });
    expect(run).toMatchObject({ status: "succeeded", attempts: 2 });
    expect(run.executions.map((one) => one.status)).toEqual(["lost", "completed"]);
    expect(service.emulator.executions()).toHaveLength(1);
  });
});
