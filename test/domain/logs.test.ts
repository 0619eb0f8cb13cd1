import fc from "fast-check";
import { expect, test } from "vitest";
import { epochNs, formatLogs, type LogEntry, mergeLogs, showEntry } from "../../src/domain/logs.ts";

function entry(timestamp: string, message: string, rest: Partial<LogEntry> = {}): LogEntry {
  return { timestamp, message, level: null, hostname: null, labels: {}, ...rest };
}

/** Few values, so that equal instants, equal lines and equal spellings of an instant are common. */
const anyEntry = fc.record({
  timestamp: fc.constantFrom(
    "2026-09-01T08:00:05Z",
    "2026-09-01T10:00:05+02:00",
    "2026-09-01T08:00:05.000001",
    "1788249605000001000",
    "2026-09-01T08:00:04.9Z",
    "soon",
  ),
  message: fc.constantFrom("a", "b", ""),
  level: fc.constantFrom(null, "info"),
  hostname: fc.constant(null),
  labels: fc.constantFrom<Record<string, string>>(
    {},
    { stream: "stdout", pod: "1" },
    { pod: "1", stream: "stdout" },
  ),
});
const anyRead = fc.array(anyEntry, { maxLength: 12 });

const same = ({ timestamp, message, level, labels }: LogEntry) =>
  JSON.stringify([String(epochNs(timestamp) ?? timestamp), message, level, labels.stream ?? null]);

function tally(entries: LogEntry[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of entries.map(same)) counts[line] = (counts[line] ?? 0) + 1;
  return counts;
}

test("every line stands as often as in the read that has most of it", () => {
  fc.assert(
    fc.property(anyRead, anyRead, (known, read) => {
      const [left, right] = [tally(known), tally(read)];
      const most = Object.fromEntries(
        Object.keys({ ...left, ...right }).map((line) => [line, Math.max(left[line] ?? 0, right[line] ?? 0)]),
      );
      expect(tally(mergeLogs(known, read))).toEqual(most);
    }),
  );
});

test("merging the same read again changes nothing", () => {
  fc.assert(
    fc.property(anyRead, anyRead, (known, read) => {
      const once = mergeLogs(known, read);
      expect(mergeLogs(once, read)).toEqual(once);
      expect(mergeLogs(once, once)).toEqual(once);
    }),
  );
});

test("the order of reads decides about the order of equal times only", () => {
  fc.assert(
    fc.property(anyRead, anyRead, anyRead, (a, b, c) => {
      expect(tally(mergeLogs(a, b))).toEqual(tally(mergeLogs(b, a)));
      expect(tally(mergeLogs(mergeLogs(a, b), c))).toEqual(tally(mergeLogs(a, mergeLogs(b, c))));
      const times = (entries: LogEntry[]) => entries.map(({ timestamp }) => epochNs(timestamp));
      expect(times(mergeLogs(a, b))).toEqual(times(mergeLogs(b, a)));
    }),
  );
});

test("lines come out by time, with unreadable times last", () => {
  fc.assert(
    fc.property(anyRead, anyRead, (known, read) => {
      const times = mergeLogs(known, read).map(({ timestamp }) => epochNs(timestamp) ?? 2n ** 64n);
      expect(times.every((time, index) => index === 0 || (times[index - 1] as bigint) <= time)).toBe(true);
    }),
  );
});

test("the arrays given are left as they are", () => {
  const [known, read] = [[entry("2026-09-01T08:00:05Z", "b")], [entry("2026-09-01T08:00:04Z", "a")]];
  mergeLogs(known, read);
  expect(known).toEqual([entry("2026-09-01T08:00:05Z", "b")]);
  expect(read).toEqual([entry("2026-09-01T08:00:04Z", "a")]);
});

test("overlapping reads give each line once, and twin lines of one read twice", () => {
  const at = "2026-09-01T08:00:05Z";
  const merged = mergeLogs([entry(at, "45"), entry(at, "45")], [entry(at, "45"), entry(at, "46")]);
  expect(merged.map(({ message }) => message)).toEqual(["45", "45", "46"]);
});

test("the same text on another stream or host is another line", () => {
  const at = "2026-09-01T08:00:05Z";
  const [out, err] = [
    entry(at, "x", { labels: { stream: "stdout" } }),
    entry(at, "x", { labels: { stream: "stderr" } }),
  ];
  expect(mergeLogs([out], [err, entry(at, "x", { hostname: "node-17" })])).toHaveLength(3);
});

test("times are compared to the nanosecond, across their forms", () => {
  const merged = mergeLogs(
    [],
    [
      entry("2026-09-01T08:00:05.000002", "2 µs"),
      entry("1788249605000001001", "1.001 µs"),
      entry("2026-09-01T10:00:05.000001+02:00", "1 µs"),
      entry("2026-09-01T08:00:05Z", "0"),
      entry("2026-09-01T08:00:05.0000015Z", "1.5 µs"),
    ],
  );
  expect(merged.map(({ message }) => message)).toEqual(["0", "1 µs", "1.001 µs", "1.5 µs", "2 µs"]);
});

test("a read with the newest line first is turned round, equal times included", () => {
  const [early, late] = ["2026-09-01T08:00:05Z", "2026-09-01T08:00:06Z"];
  const merged = mergeLogs([], [entry(late, "4"), entry(late, "3"), entry(early, "2"), entry(early, "1")]);
  expect(merged.map(({ message }) => message)).toEqual(["1", "2", "3", "4"]);
});

test.each([
  ["2026-09-01T08:00:05Z", 1788249605000000000n],
  ["2026-09-01 08:00:05", 1788249605000000000n],
  ["2026-09-01T08:00Z", 1788249600000000000n],
  ["2026-09-01T08:00:05.123456+00:00", 1788249605123456000n],
  ["2026-09-01T08:00:05.123456789Z", 1788249605123456789n],
  ["2026-09-01T13:30:05+0530", 1788249605000000000n],
  ["2026-09-01T06:00:05-02", 1788249605000000000n],
  ["1788249605", 1788249605000000000n],
  ["1788249605123", 1788249605123000000n],
  ["1788249605123456", 1788249605123456000n],
  ["1788249605123456789", 1788249605123456789n],
  ["2026-09-01 08:00:05.5 UTC", 1788249605500000000n],
  ["1788249605.5", 1788249605500000000n],
  ["1788249605123.4567", 1788249605123456700n],
  ["", null],
  ["yesterday", null],
  ["2026-13-01T08:00:05Z", null],
  ["17882496", null],
])("%j is read as %s", (text, ns) => {
  expect(epochNs(text)).toBe(ns);
});

test.each([
  ["2026-09-01T08:00:05.300Z", { timestamp: "2026-09-01T08:00:05.300Z" }],
  ["2026-09-01T08:00:05.123456", { timestamp: "2026-09-01T08:00:05.123Z" }],
  ["2026-09-01T10:00:05+02:00", { timestamp: "2026-09-01T08:00:05.000Z" }],
  ["1788249605123456789", { timestamp: "2026-09-01T08:00:05.123Z" }],
  ["soon", { timestamp: null }],
])("%j is given out in our form, beside the text where it differs", (raw, shown) => {
  const { timestamp } = shown;
  const rest = { message: "a", level: null, hostname: null, labels: {} };
  const expected = raw === timestamp ? { timestamp, ...rest } : { timestamp, raw_timestamp: raw, ...rest };
  expect(showEntry(entry(raw, "a"))).toEqual(expected);
  expect(formatLogs([showEntry(entry(raw, "a"))])).toBe(formatLogs([entry(raw, "a")]));
});

test("an entry without a time has none, and no text beside it", () => {
  expect(showEntry(entry("", "a"))).not.toHaveProperty("raw_timestamp");
  expect(showEntry(entry("", "a")).timestamp).toBeNull();
});

test("as text, a line is its time in UTC, its level where there is one, and its message", () => {
  expect(formatLogs([])).toBe("");
  const entries = [
    entry("1788249605123456789", "45\n"),
    entry("2026-09-01T10:00:05.3+02:00", "low memory", { level: "warn" }),
    entry("2026-09-01T08:00:05.000200", ""),
    entry("soon", "?"),
  ];
  expect(formatLogs(entries)).toBe(
    [
      "2026-09-01T08:00:05.123Z 45\n",
      "2026-09-01T08:00:05.300Z WARN low memory\n",
      "2026-09-01T08:00:05.000Z \n",
      "soon ?\n",
    ].join(""),
  );
});
