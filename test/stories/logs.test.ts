// Logs that fill up after the end, repeat themselves, come in any order or are too long to be had whole.
import { expect, it } from "vitest";
import { type Service, startService, until } from "../support/service.ts";

const counting = (count: number, switches: string) => ({
  kind: "python",
  code: `# emulator: ${switches}\nfor n in range(${count}): print("line", n)\n`,
});

async function logOf(service: Service, runId: string) {
  const { text, headers } = await service.ann.get(`/v1/runs/${runId}/logs`);
  const lines =
    text === ""
      ? []
      : text
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line).message);
  return { lines, complete: headers.get("X-Log-Complete"), truncated: headers.get("X-Log-Truncated") };
}

const lines = (count: number) => Array.from({ length: count }, (_, n) => `line ${n}`);

it.concurrent("a log that fills up only after the end is collected whole", async () => {
  await using service = await startService({ surroundings: { logSpacingMs: 150 } });
  const run = await service.run(counting(7, "logs=late log_lag=250"));
  expect(await logOf(service, run.id)).toEqual({ lines: lines(7), complete: "true", truncated: "false" });
});

/** A poll may ask beside the callback, and the documents of an end are asked for by whoever hears of it. */
const onlyCallbacks = { POLL_INTERVAL_MIN: "1h", POLL_INTERVAL_MAX: "1h" };
const reads = (service: Service) => service.emulator.callCounts()["GET /logs/execution/:id"];

it.concurrent("a log that has all that the record tells is read once", async () => {
  await using service = await startService({
    settings: onlyCallbacks,
    surroundings: { logSpacingMs: 60_000 },
  });
  const run = await service.run(counting(7, ""));
  expect(await logOf(service, run.id)).toEqual({ lines: lines(7), complete: "true", truncated: "false" });
  expect(reads(service)).toBe(1);
});

it.concurrent("a record that tells both streams in one proves a log, too", async () => {
  await using service = await startService({ surroundings: { logSpacingMs: 60_000 } });
  const run = await service.run(counting(7, "output=combined"));
  expect(await logOf(service, run.id)).toEqual({ lines: lines(7), complete: "true", truncated: "false" });
});

it.concurrent("a log is read once if the record tells that nothing was printed", async () => {
  await using service = await startService({ surroundings: { logSpacingMs: 60_000 } });
  const run = await service.run({ kind: "python", code: "pass\n" });
  expect(await logOf(service, run.id)).toEqual({ lines: [], complete: "true", truncated: "false" });
});

it.concurrent("a log is read again if the record tells nothing, and lines that come late are found", async () => {
  await using service = await startService({ surroundings: { logSpacingMs: 150 } });
  const run = await service.run(counting(7, "output=withheld logs=late log_lag=100"));
  expect(await logOf(service, run.id)).toEqual({ lines: lines(7), complete: "true", truncated: "false" });
  expect(reads(service)).toBeGreaterThan(1);
});

it.concurrent("the log of several containers is read again: nobody knows whose output the record tells", async () => {
  await using service = await startService({ settings: onlyCallbacks });
  const compose_file_code = "services:\n  app:\n    image: alpine\n  side:\n    image: alpine\n";
  const run = await service.run({ kind: "compose", compose_file_code });
  expect(await logOf(service, run.id)).toMatchObject({ complete: "true" });
  expect(reads(service)).toBe(2);
});

it.concurrent("output that is larger than usual is collected whole, one run at a time", async () => {
  await using service = await startService({ settings: onlyCallbacks });
  const code = "for n in range(3000): print('x' * 200)\n";
  const { id } = await service.submit({
    runs: [1, 2, 3].map((n) => ({ kind: "python", code, name: `${n}` })),
  });
  for (const run of await service.ended(id)) {
    expect(run).toMatchObject({ status: "succeeded", return_code: 0 });
    const output = await service.ann.get(`/v1/runs/${run.id}/output`);
    expect(output.body.stdout).toHaveLength(3_000 * 201);
    expect((await logOf(service, run.id)).lines).toHaveLength(3_000);
  }
});

it.concurrent("a log that comes newest first is shown oldest first", async () => {
  await using service = await startService();
  const slowly = "import time\nfor n in range(3):\n  print('line', n)\n  time.sleep(0.4)\n";
  // On a busy machine lines share an instant, which then has no order.
  const run = await until("lines of three instants", async () => {
    const ended = await service.run({ kind: "python", code: `# emulator: log_order=newest\n${slowly}` });
    const { text } = await service.ann.get(`/v1/runs/${ended.id}/logs`);
    return new Set(text.match(/"timestamp":"[^"]*"/g)).size === 3 && ended;
  });
  expect((await logOf(service, run.id)).lines).toEqual(lines(3));
});

it.concurrent("a log that comes shuffled is shown by time, and nothing of it is missing", async () => {
  await using service = await startService();
  const run = await service.run(counting(9, "log_order=shuffled logs=double"));
  const { text } = await service.ann.get(`/v1/runs/${run.id}/logs`);
  const times = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line).timestamp);
  expect(times).toEqual(times.toSorted());
  expect(new Set((await logOf(service, run.id)).lines)).toEqual(new Set(lines(9)));
});

it.concurrent("a log of more lines than Lyceum gives says that it is truncated", async () => {
  await using service = await startService();
  const run = await service.run(counting(10_050, ""));
  const { lines: shown, ...marks } = await logOf(service, run.id);
  expect(marks).toEqual({ complete: "false", truncated: "true" });
  expect(shown).toHaveLength(10_000);
  const output = await service.ann.get(`/v1/runs/${run.id}/output`);
  expect(output.body.stdout).toBe(
    lines(10_050)
      .map((line) => `${line}\n`)
      .join(""),
  );
});

it.concurrent("a run that prints nothing has an empty log, not a missing one", async () => {
  await using service = await startService();
  const run = await service.run({ kind: "python", code: "pass\n" });
  expect(run.artifacts.logs).toMatchObject({ state: "stored" });
  expect(await logOf(service, run.id)).toMatchObject({ lines: [], truncated: "false" });
});

it.concurrent("a log whose last lines come late is read on until they are there", async () => {
  await using service = await startService({
    settings: onlyCallbacks,
    surroundings: { logSpacingMs: 150 },
  });
  const run = await service.run(counting(9, "log_tail=8 log_lag=600ms"));
  expect(await logOf(service, run.id)).toEqual({ lines: lines(9), complete: "true", truncated: "false" });
});

it.concurrent("a log whose last lines never come says that it is not complete", async () => {
  await using service = await startService({ settings: onlyCallbacks });
  const run = await service.run(counting(9, "log_tail=8 log_lag=1h"));
  expect(await logOf(service, run.id)).toEqual({ lines: lines(1), complete: "false", truncated: "false" });
  expect(reads(service)).toBe(6);
});

it.concurrent("times of a log are given out in one form, with Lyceum's own beside them", async () => {
  await using service = await startService();
  for (const form of ["zulu", "bare", "micro", "nano", "loki"]) {
    const run = await service.run(counting(1, `log_time=${form}`));
    const { text } = await service.ann.get(`/v1/runs/${run.id}/logs`);
    const { timestamp, raw_timestamp } = JSON.parse(text);
    expect(timestamp, form).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(raw_timestamp === undefined, form).toBe(form === "zulu");
  }
});
