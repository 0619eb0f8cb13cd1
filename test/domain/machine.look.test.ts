// A look that shows an execution just as it is known is not noted, so it must be one from which nothing follows.
import { describe, expect, test } from "vitest";
import type { Execution } from "../../src/domain/execution.ts";
import { transition } from "../../src/domain/state-machine/transition.ts";
import { nextCheckIfUnchanged } from "../../src/domain/state-machine/watching.ts";
import { pairs } from "./pairs.ts";
import { aMoment, anExecution, aRun, NOW, never } from "./scene.ts";

const moment = aMoment();
const running = { status: "running", raw: "running", timedOut: false } as const;
const look = (execution: Partial<Execution>, snapshot = {}, run = {}) =>
  nextCheckIfUnchanged(anExecution(execution), aRun(run), { ...running, ...snapshot }, moment);

describe("a check that changes nothing worth a write", () => {
  const looks = pairs.flatMap(({ before, fact, next }) => {
    if (fact.type !== "snapshot" || before.execution?.phase !== "watching") return [];
    const at = nextCheckIfUnchanged(before.execution, before.run, fact.snapshot, moment);
    return [{ before, next, at }];
  });

  test("a check without news returns the time of the next check and writes nothing", () => {
    const unchanged = looks.filter(({ at }) => at !== null);
    expect(unchanged.length).toBeGreaterThan(0);
    for (const { before, next, at } of unchanged) {
      expect(next.run).toBe(before.run);
      expect(next.events).toEqual([]);
      const { checkedAt } = next.execution ?? anExecution();
      expect(next.execution).toEqual({ ...before.execution, checkedAt, dueAt: at });
    }
  });

  test("a check that changes nothing worth a write has the same interval as a recorded check: a quarter of the age", () => {
    expect(look({ acceptedAt: NOW - 80_000 })).toBe(NOW + 20_000);
  });
});

describe("a look that is noted by whoever goes on watching", () => {
  const noted = (leaseUntil: number, execution: Partial<Execution> = {}) => {
    const situation = { run: aRun({ status: "active" }), execution: anExecution(execution), policy: never };
    const fact = { type: "snapshot", snapshot: running, by: "poll", askedAt: NOW - 10, leaseUntil } as const;
    return transition(situation, fact, moment)?.execution?.dueAt;
  };

  test("a check that a watching reader notes leaves the execution with the reader", () => {
    expect(noted(NOW + 300_000)).toBe(NOW + 300_000);
  });

  test("a check does not leave the execution with the reader if it is to be left alone for longer, or after a callback", () => {
    expect(noted(NOW + 10_000)).toBe(NOW + 20_000);
    expect(noted(NOW + 300_000, { callbackAt: NOW })).toBe(NOW);
  });
});

describe("there is something to note of", () => {
  test.each<[string, number | null]>([
    ["another word", look({}, { raw: "RUNNING" })],
    ["the same word for another status", look({ status: "pending" })],
    ["an end", look({}, { status: "completed", raw: "completed" })],
    [
      "an end under the word that the start's answer had",
      look({ rawStatus: "done", status: "pending" }, { raw: "done", status: "completed" }),
    ],
    ["a time that was not known", look({}, { startedAt: NOW - 1_000 })],
    ["one that was missed", look({ unseenMs: 1 })],
    ["one that a callback named", look({ callbackAt: NOW - 1_000 })],
    ["one that is to be cancelled", look({}, {}, { cancellation: { mode: "stop", cause: "request" } })],
    ["one that has lived too long", look({ acceptedAt: NOW - 7 * 86_400_000 })],
  ])("%s", (_, at) => {
    expect(at).toBeNull();
  });
});
