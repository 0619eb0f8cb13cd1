// What a record proves of a log: that it has all that was printed, or nothing at all.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LogEntry } from "../../src/domain/logs.ts";
import { isWholeLog, printedOf, tellsOutput } from "../../src/domain/output.ts";

const entry = (message: string): LogEntry => ({
  timestamp: "2026-09-01T08:00:05Z",
  message,
  level: null,
  hostname: null,
  labels: {},
});
const log = (...messages: string[]) => messages.map(entry);
const record = { stdout: "a\nb\n", stderr: "", combinedOutput: null, finishTime: 1 };

describe("a record tells all that was printed", () => {
  test.each([
    ["with both streams", record],
    ["with both streams, empty ones", { ...record, stdout: "", stderr: "" }],
    ["with both in one", { ...record, stdout: null, stderr: null, combinedOutput: "a\nb\n" }],
    [
      "with stdout, if the two in one are no more than that",
      { ...record, stderr: null, combinedOutput: "a\nb\n" },
    ],
    ["in both ways, in any order", { ...record, stderr: "c\n", combinedOutput: "a\nc\nb\n" }],
  ])("%s", (_how, told) => {
    expect(tellsOutput(told, "python")).toBe(true);
    expect(tellsOutput(told, "image")).toBe(true);
  });
});

describe("a record does not tell all that was printed", () => {
  test.each([
    ["before the results are stored", { ...record, finishTime: null }],
    ["without stdout", { ...record, stdout: null }],
    ["without stderr", { ...record, stderr: null }],
    ["if the two in one are more than the streams", { ...record, combinedOutput: "a\nb\nc\n" }],
    ["if the two in one are less than the streams", { ...record, combinedOutput: "" }],
    ["if stderr is told twice", { ...record, stdout: null, stderr: "b\n", combinedOutput: "a\nb\n" }],
  ])("%s", (_why, told) => {
    expect(tellsOutput(told, "python")).toBe(false);
  });

  test.each(["compose", "gpu_selection"] as const)("for a run of kind %s", (kind) => {
    expect(tellsOutput(record, kind)).toBe(false);
  });
});

describe("a log is whole", () => {
  test("that has every line, in any order", () => {
    expect(isWholeLog(log("b", "a"), record)).toBe(true);
    expect(isWholeLog(log("x", "a", "b"), { stdout: "a\nb", stderr: "x" })).toBe(true);
  });

  test("that is empty, if nothing was printed", () => {
    expect(isWholeLog([], { stdout: "", stderr: "\n" })).toBe(true);
  });

  test("whatever a collector of logs made of line ends and empty lines", () => {
    expect(isWholeLog(log("a\r\n", "b  ", ""), { stdout: "a\r\n\n  \nb\n", stderr: "" })).toBe(true);
    expect(isWholeLog(log("a\nb"), record)).toBe(true);
  });
});

describe("a log is not proven whole", () => {
  test.each([
    ["that lacks a line", log("a")],
    ["that is empty", log()],
    ["that has only a part of a line", log("a", "b and m")],
    ["that has a line twice", log("a", "b", "b")],
    ["that has a line of which the record does not know", log("a", "b", "Pulling image")],
  ])("%s", (_why, entries) => {
    expect(isWholeLog(entries, { stdout: "a\nb and more\n", stderr: "" })).toBe(false);
    expect(isWholeLog(entries, record)).toBe(false);
  });

  test("that has a repeated line too seldom", () => {
    expect(isWholeLog(log("step", "step"), { stdout: "step\nstep\nstep\n", stderr: "" })).toBe(false);
  });
});

/** Few values, so that lines repeat. */
const anyLine = fc.constantFrom("a", "b", "a b", "0 %");
const anyLines = fc.array(anyLine, { maxLength: 8 });

test("a log with any line taken away is never whole", () => {
  fc.assert(
    fc.property(anyLines, anyLines, fc.nat(), (out, err, which) => {
      const printed = { stdout: out.join("\n"), stderr: err.map((line) => `${line}\n`).join("") };
      const entries = log(...out, ...err);
      expect(isWholeLog(entries, printed)).toBe(true);
      if (entries.length > 0)
        expect(isWholeLog(entries.toSpliced(which % entries.length, 1), printed)).toBe(false);
    }),
  );
});

test("a record whose output was cut proves nothing of a log that has more", () => {
  fc.assert(
    fc.property(anyLines, fc.array(anyLine, { minLength: 1, maxLength: 4 }), (kept, cut) => {
      const told = printedOf({ stdout: kept.join("\n"), stderr: "", combinedOutput: null });
      expect(isWholeLog(log(...kept, ...cut), told)).toBe(false);
    }),
  );
});
