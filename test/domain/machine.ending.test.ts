// After an execution's end: the run's outcome, or another attempt.
import { describe, expect, test } from "vitest";
import type { Policy, RetryClass } from "../../src/domain/run.ts";
import { pairs, step } from "./pairs.ts";
import { accepted, always, claim, collected, NOW, never, Story, snapshot } from "./scene.ts";

const watched = (policy: Policy = never) => new Story(policy).learn(claim, accepted());
const retrying = (...on: RetryClass[]): Policy => ({ retry: { maxAttempts: 2, on }, onLost: "fail" });
const past = { startedAt: NOW, endedAt: NOW + 60_000, returnCode: 137 };

describe("the outcome, once the artifacts are in", () => {
  const outcome = (...facts: Parameters<Story["learn"]>) => watched().learn(...facts, collected);

  test("completed: the run succeeded", () => {
    const story = outcome(snapshot("completed"));
    expect(story.statuses).toBe("succeeded/completed");
    expect(story.run).toMatchObject({ error: null, endedAt: NOW });
    expect(story.execution).toMatchObject({ phase: "closed", dueAt: null });
    expect(story.events.at(-1)).toBe("run.succeeded");
  });

  test.each([
    ["failed", { returnCode: 3 }, "failed", "it exited with 3"],
    ["failed", { detail: "out of memory" }, "failed", "out of memory"],
    ["failed", { timedOut: true }, "timeout", "it ran past its timeout at Lyceum"],
    ["failed", past, "timeout", "it ran past its timeout at Lyceum"],
    ["aborted", past, "timeout", "it ran past its timeout at Lyceum"],
    ["system_failure", {}, "system_failure", "an infrastructure failure at Lyceum"],
  ] as const)("%s with %j: the run failed as %s", (word, said, code, detail) => {
    const story = outcome(snapshot(word, said));
    expect(story.run).toMatchObject({ status: "failed", error: { code, detail } });
  });

  test.each(["cancelled", "aborted"] as const)("%s by somebody else: the run is cancelled", (word) => {
    const { run } = outcome(snapshot(word));
    expect(run).toMatchObject({ status: "cancelled", error: { code: "cancelled" } });
    expect(run.error?.detail).toContain("not on our request");
  });

  test("a collection that has to wait only moves the wake-up", () => {
    const story = watched().learn(snapshot("completed"), { type: "collect_later", dueAt: NOW + 9_000 });
    expect(story.statuses).toBe("collecting/completed");
    expect(story.execution?.dueAt).toBe(NOW + 9_000);
  });
});

describe("artifacts that come with the end", () => {
  const later = { type: "collect_later", dueAt: NOW + 9_000 } as const;
  test.each([{ type: "collected" } as const, later])(
    "%j: the same as one after the other",
    (thenCollected) => {
      let ends = 0;
      for (const { before, fact, next } of pairs) {
        if (fact.type !== "snapshot") continue;
        const together = step(before, { ...fact, thenCollected }).next;
        const isEnd = before.execution?.phase === "watching" && next.execution?.phase === "collecting";
        if (!isEnd) expect(together).toEqual(next);
        else {
          const then = step({ ...before, ...next }, thenCollected).next;
          expect(together).toEqual({ ...then, events: [...next.events, ...then.events] });
          ends++;
        }
      }
      expect(ends).toBeGreaterThan(100);
    },
  );
});

describe("a timeout inferred from Lyceum's own times", () => {
  test.each([
    ["well short of it", { ...past, endedAt: NOW + 59_970 }],
    ["with a clean exit", { ...past, returnCode: 0 }],
    ["without a start", { ...past, startedAt: undefined }],
    ["without an end", { ...past, endedAt: undefined }],
  ])("no timeout is inferred from Lyceum's own times %s", (_what, said) => {
    expect(watched().learn(snapshot("failed", said)).execution?.timedOut).toBe(false);
  });

  test("a timeout is inferred although a timer fired a few milliseconds before its time", () => {
    const said = { ...past, endedAt: NOW + 59_998 };
    expect(watched().learn(snapshot("failed", said)).execution?.timedOut).toBe(true);
  });

  test("a timeout is inferred with a start that an earlier snapshot named", () => {
    const story = watched().learn(snapshot("running", { startedAt: NOW }));
    expect(story.learn(snapshot("failed", { endedAt: NOW + 60_000 })).execution?.timedOut).toBe(true);
  });

  test("a completed execution never counts as timed out", () => {
    const story = watched(always).learn(snapshot("completed", { ...past, timedOut: true }));
    expect(story.statuses).toBe("collecting/completed");
    expect(story.execution?.timedOut).toBe(false);
  });
});

describe("a retry", () => {
  test.each([
    ["failed", "failed", {}],
    ["system_failure", "system_failure", {}],
    ["timeout", "failed", { timedOut: true }],
    ["timeout", "aborted", past],
  ] as const)("on %s is granted to an execution that ended as %s with %j", (on, word, said) => {
    const story = watched(retrying(on)).learn(snapshot(word, said));
    expect(story.statuses).toBe(`queued/${word}`);
    expect(story.run).toMatchObject({ attempt: 1, dueAt: NOW + 3_000 });
    expect(story.execution?.phase).toBe("collecting");
    expect(story.events.slice(-2)).toEqual([`execution.${word}`, "run.queued"]);
  });

  test.each([
    ["failed", "failed", { timedOut: true }],
    ["timeout", "failed", {}],
    ["failed", "system_failure", {}],
    ["failed", "aborted", {}],
    ["lost", "failed", {}],
  ] as const)("on %s is not granted to one that ended as %s with %j", (on, word, said) => {
    expect(watched(retrying(on)).learn(snapshot(word, said)).run.status).toBe("collecting");
  });

  test("a retry makes another execution, whose end decides", () => {
    const story = watched(retrying("failed")).learn(snapshot("failed")).wait(3_000);
    story.learn({ type: "claimed", executionId: "exe_2" }, accepted(), snapshot("completed"), collected);
    expect(story.run).toMatchObject({
      status: "succeeded",
      attempt: 2,
      executionId: "exe_2",
      startedAt: NOW,
    });
  });

  test("a retry is not granted to the last attempt", () => {
    const story = watched(retrying("failed")).learn(snapshot("failed")).wait(3_000);
    story.learn({ type: "claimed", executionId: "exe_2" }, accepted(), snapshot("failed"), collected);
    expect(story.run).toMatchObject({ status: "failed", attempt: 2 });
  });
});
