// One read of Lyceum serves all readers of a live log.
import { expect, test } from "vitest";
import type { Execution } from "../../src/domain/execution.ts";
import type { LogsAnswer } from "../../src/lyceum/answer.ts";
import type { ReadOutcome } from "../../src/lyceum/outcome.ts";
import { createLiveLogs } from "../../src/workers/live-logs.ts";
import { anExecution, NOW } from "../domain/scene.ts";

const entry = (message: string) => ({
  timestamp: "2026-09-01T08:00:00Z",
  message,
  level: null,
  hostname: null,
  labels: {},
});
const answer = (...messages: string[]): ReadOutcome<LogsAnswer> => ({
  type: "ok",
  value: { executionIds: [], entries: messages.map(entry), total: messages.length },
});

function scene(most?: number) {
  const time = { at: 0 };
  const reads: { id: string; priority: unknown; resolve: (answer: ReadOutcome<LogsAnswer>) => void }[] = [];
  const lyceum = {
    logs: (id: string, { priority }: { priority?: unknown }) =>
      new Promise<ReadOutcome<LogsAnswer>>((resolve) => reads.push({ id, priority, resolve })),
  };
  const clock = { now: () => NOW + time.at, monotonic: () => time.at };
  const { open } = createLiveLogs(lyceum, clock, most);
  const reader = (execution: Partial<Execution> = {}) => {
    const opened = open(anExecution(execution));
    if (opened === null) throw new Error("too many are open");
    return opened;
  };
  return { time, reads, open, reader };
}

test("readers that ask at once share one read, at the lowest priority", async () => {
  const { reads, reader } = scene();
  const readers = [reader(), reader(), reader()];
  const states = readers.map(({ refresh }) => refresh());
  await expect.poll(() => reads.length).toBe(1);
  reads[0]?.resolve(answer("a"));
  expect(await Promise.all(states)).toMatchObject(Array(3).fill({ type: "shown", readAt: NOW }));
  expect(readers.map(({ log }) => log.length())).toEqual([1, 1, 1]);
  expect(reads).toMatchObject([{ id: "lyc_1", priority: "live" }]);
});

test("a further read goes out only 5 s after the last began", async () => {
  const { time, reads, reader } = scene();
  const one = reader();
  const first = one.refresh();
  await expect.poll(() => reads.length).toBe(1);
  reads[0]?.resolve(answer("a"));
  await first;
  time.at = 4_999;
  await reader().refresh();
  expect(reads).toHaveLength(1);
  time.at = 5_000;
  void one.refresh();
  await expect.poll(() => reads.length).toBe(2);
});

test.each([
  ["no lines", answer(), { type: "empty" }],
  ["no such execution", { type: "missing", detail: "unknown" }, { type: "empty" }],
  ["a rate limit", { type: "throttled", retryAfterMs: 9_000 }, { type: "away", retryAfterMs: 9_000 }],
  ["silence", { type: "unreachable", detail: "silent" }, { type: "away", detail: "silent" }],
] as const)("Lyceum's answer of %s is told apart", async (_what, said, state) => {
  const { reads, reader } = scene();
  const told = reader().refresh();
  await expect.poll(() => reads.length).toBe(1);
  reads[0]?.resolve(said);
  expect(await told).toMatchObject(state);
});

test("a log without readers makes room, one with readers never does", async () => {
  const { open, reader } = scene(2);
  const first = reader({ id: "exe_1" });
  reader({ id: "exe_2" });
  expect(open(anExecution({ id: "exe_3" }))).toBeNull();
  first.close();
  first.close();
  expect(open(anExecution({ id: "exe_3" }))).not.toBeNull();
  expect(open(anExecution({ id: "exe_1" }))).toBeNull();
});
