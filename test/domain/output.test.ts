// A record proves that a log is complete, or proves nothing.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LogEntry } from "../../src/domain/logs.ts";
import { compareLog, printedOf, tellsOutput } from "../../src/domain/output.ts";

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
  test("a log that has every line, in any order, is whole", () => {
    expect(compareLog(log("b", "a"), record)).toBe("whole");
    expect(compareLog(log("x", "a", "b"), { stdout: "a\nb", stderr: "x" })).toBe("whole");
  });

  test("an empty log is whole if nothing was printed", () => {
    expect(compareLog([], { stdout: "", stderr: "\n" })).toBe("whole");
  });

  test("whatever a collector of logs made of line ends and empty lines", () => {
    expect(compareLog(log("a\r\n", "b  ", ""), { stdout: "a\r\n\n  \nb\n", stderr: "" })).toBe("whole");
    expect(compareLog(log("a\nb"), record)).toBe("whole");
  });
});

describe("a log is proven to lack lines of the record", () => {
  test.each([
    ["that lacks a line", log("a")],
    ["that is empty", log()],
    ["that has a line twice, and another not at all", log("a", "a")],
    ["that lacks a line and has one of which the record does not know", log("b", "Pulling image")],
  ])("%s", (_why, entries) => {
    expect(compareLog(entries, record)).toBe("lacking");
  });

  test("a log that has only a part of a line is proven to lack lines", () => {
    expect(compareLog(log("a", "b and m"), { stdout: "a\nb and more\n", stderr: "" })).toBe("lacking");
  });

  test("a log that has a repeated line too seldom is proven to lack lines", () => {
    expect(compareLog(log("step", "step"), { stdout: "step\nstep\nstep\n", stderr: "" })).toBe("lacking");
  });
});

describe("a log cannot be judged", () => {
  test.each([
    ["that has a line twice", log("a", "b", "b")],
    ["that has a line of which the record does not know", log("a", "b", "Pulling image")],
  ])("%s", (_why, entries) => {
    expect(compareLog(entries, record)).toBe("unjudged");
  });
});

/** Few values, so that lines repeat. */
const anyLine = fc.constantFrom("a", "b", "a b", "0 %");
const anyLines = fc.array(anyLine, { maxLength: 8 });

test("a log with any line taken away lacks it", () => {
  fc.assert(
    fc.property(anyLines, anyLines, fc.nat(), (out, err, which) => {
      const printed = { stdout: out.join("\n"), stderr: err.map((line) => `${line}\n`).join("") };
      const entries = log(...out, ...err);
      expect(compareLog(entries, printed)).toBe("whole");
      if (entries.length > 0)
        expect(compareLog(entries.toSpliced(which % entries.length, 1), printed)).toBe("lacking");
    }),
  );
});

test("a record whose output was cut proves nothing of a log that has more", () => {
  fc.assert(
    fc.property(anyLines, fc.array(anyLine, { minLength: 1, maxLength: 4 }), (kept, cut) => {
      const told = printedOf({ stdout: kept.join("\n"), stderr: "", combinedOutput: null });
      expect(compareLog(log(...kept, ...cut), told)).toBe("unjudged");
    }),
  );
});
