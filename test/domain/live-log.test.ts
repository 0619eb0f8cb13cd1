// The log of a live execution as its readers see it over several reads.
import { expect, test } from "vitest";
import { createLiveLog, type LiveLog } from "../../src/domain/live-log.ts";
import type { LogEntry } from "../../src/domain/logs.ts";

const line = (second: number, message: string): LogEntry => ({
  timestamp: `2026-09-01T08:00:${String(second).padStart(2, "0")}Z`,
  message,
  level: null,
  hostname: null,
  labels: {},
});
const add = (log: LiveLog, ...entries: LogEntry[]) => [...log.add(entries)].length;
const texts = (log: LiveLog, position = 0) => log.after(position, 100).entries.map(({ message }) => message);

test("a read adds only the lines that earlier reads lacked, in order of time", () => {
  const log = createLiveLog();
  add(log, line(2, "b"), line(1, "a"));
  add(log, line(3, "c"), line(2, "b"), line(1, "a"));
  expect(texts(log)).toEqual(["a", "b", "c"]);
});

test("a line that comes late stands after those that were read before, so positions stay valid", () => {
  const log = createLiveLog();
  add(log, line(1, "a"), line(3, "c"));
  const { position } = log.after(0, 100);
  add(log, line(1, "a"), line(2, "b"), line(3, "c"));
  expect(texts(log, position)).toEqual(["b"]);
});

test("a line that was printed twice at one instant stands twice, however often it is read", () => {
  const log = createLiveLog();
  add(log, line(1, "tick"));
  add(log, line(1, "tick"), line(1, "tick"));
  add(log, line(1, "tick"), line(1, "tick"));
  expect(texts(log)).toEqual(["tick", "tick"]);
});

test("a page has as many lines as are asked for, and the next begins after them", () => {
  const log = createLiveLog();
  add(log, ...[1, 2, 3, 4, 5].map((second) => line(second, String(second))));
  const first = log.after(0, 2);
  expect(first.entries.map(({ message }) => message)).toEqual(["1", "2"]);
  expect(log.after(first.position, 2).entries.map(({ message }) => message)).toEqual(["3", "4"]);
});

test.each([
  ["lines", { maxEntries: 3 }],
  ["characters", { maxChars: 3 }],
])("beyond a number of %s the oldest are dropped, counted, and never come again", (_what, limits) => {
  const log = createLiveLog(limits);
  const lines = [1, 2, 3, 4, 5].map((second) => line(second, String(second)));
  add(log, ...lines);
  add(log, ...lines);
  expect(log.after(0, 100)).toMatchObject({ dropped: 2, position: 5 });
  expect(texts(log)).toEqual(["3", "4", "5"]);
});

test("a long read is worked on in slices", () => {
  const lines = Array.from({ length: 5_000 }, (_, index) => line(index % 60, `line ${index}`));
  expect(add(createLiveLog(), ...lines)).toBe(5);
});
