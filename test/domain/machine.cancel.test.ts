// Cancelling, in every state of a run and racing with everything else.
import { describe, expect, test } from "vitest";
import type { Policy } from "../../src/domain/run.ts";
import {
  accepted,
  always,
  callback,
  cancel,
  cancelSent,
  claim,
  collected,
  NOW,
  noAnswer,
  notTaken,
  refused,
  Story,
  snapshot,
  stopSent,
} from "./scene.ts";

const watched = (policy: Policy = always) => new Story(policy).learn(claim, accepted(), snapshot("running"));

describe("a queued run", () => {
  test.each([
    ["request", "cancelled", "cancelled", "cancelled on request"],
    ["run_failure", "cancelled", "cancelled", "another run of the job failed"],
    ["deadline", "failed", "deadline_exceeded", "the job's deadline passed before the run was over"],
  ] as const)("that is cancelled for %s is %s at once", (cause, status, code, detail) => {
    const story = new Story().learn(cancel("abort", cause));
    expect(story.run).toMatchObject({ status, error: { code, detail }, dueAt: null, endedAt: NOW });
    expect(story.events).toEqual([`run.${status}`]);
  });

  test("a queued run that waits for another attempt is cancelled, and its last artifacts still come in", () => {
    const story = watched().learn(snapshot("failed"), cancel());
    expect(story.run.status).toBe("cancelled");
    expect(story.learn(collected).statuses).toBe("cancelled/failed");
    expect(story.execution?.phase).toBe("closed");
  });
});

describe("a run whose start is not answered yet", () => {
  const started = () => new Story(always).learn(claim).wait(100).learn(cancel());

  test("a run whose start is not answered yet goes on until the answer, and is then aborted at once", () => {
    const story = started();
    expect(story.statuses).toBe("active/submitting");
    expect(story.execution?.dueAt).toBe(NOW + 180_000);
    expect(story.learn(accepted()).execution?.dueAt).toBe(story.now);
  });

  test("a run whose start is not answered yet is cancelled if Lyceum did not take it", () => {
    const story = started().learn(notTaken);
    expect(story.statuses).toBe("cancelled/none");
    expect(story.run.attempt).toBe(0);
  });

  test("a run whose start is not answered yet is cancelled if Lyceum refused it", () => {
    expect(started().learn(refused).statuses).toBe("cancelled/rejected");
  });
});

describe("a run in doubt", () => {
  const inDoubt = () => new Story(always).learn(claim, noAnswer).searchInVain(1).learn(cancel());

  test("a run in doubt is searched for at once, and nothing is concluded", () => {
    const story = inDoubt();
    expect(story.statuses).toBe("active/submitting");
    expect(story.execution?.dueAt).toBe(story.now);
  });

  test("a run in doubt is aborted at once when it is found", () => {
    const story = inDoubt().learn(accepted("running", true));
    expect(story.execution).toMatchObject({ phase: "watching", dueAt: story.now, cancelSentAt: null });
  });

  test("a run in doubt is cancelled, not retried, when it is lost; the orphan is still looked for", () => {
    const story = inDoubt().searchInVain(8);
    expect(story.statuses).toBe("cancelled/lost");
    expect(story.execution?.phase).toBe("orphan");
  });

  test("a run in doubt has failed when it is lost and the deadline had passed", () => {
    const story = new Story(always).learn(claim, noAnswer, cancel("abort", "deadline")).searchInVain(9);
    expect(story.run).toMatchObject({ status: "failed", error: { code: "deadline_exceeded" } });
  });
});

describe("a live run", () => {
  test("a live run stays active until Lyceum confirms the end", () => {
    const story = watched().wait(1_000).learn(cancel());
    expect(story.statuses).toBe("active/running");
    expect(story.execution).toMatchObject({ dueAt: story.now, cancelSentAt: null });
    story.learn(cancelSent, snapshot("running"));
    expect(story.statuses).toBe("active/running");
    story.learn(snapshot("aborted"), collected);
    expect(story.statuses).toBe("cancelled/aborted");
  });

  test("a live run is looked at soon after the abort was sent", () => {
    const story = watched().learn(cancel(), cancelSent);
    expect(story.execution).toMatchObject({ cancelSentAt: story.now, dueAt: story.now + 1_000 });
  });

  test.each([
    ["completed", "succeeded", null],
    ["failed", "failed", "failed"],
    ["system_failure", "failed", "system_failure"],
    ["cancelled", "cancelled", "cancelled"],
  ] as const)("that ends as %s before the abort takes effect has %s", (word, status, code) => {
    const { run } = watched().learn(cancel(), cancelSent, snapshot(word), collected);
    expect(run).toMatchObject({ status, attempt: 1 });
    expect(run.error?.code ?? null).toBe(code);
  });

  test.each(["failed", "system_failure", "aborted"] as const)(
    "whose deadline passed and that ends as %s has exceeded it",
    (word) => {
      const { run } = watched().learn(cancel("abort", "deadline"), snapshot(word), collected);
      expect(run).toMatchObject({ status: "failed", error: { code: "deadline_exceeded" } });
    },
  );

  test("a live run whose deadline passed and that completed all the same has succeeded", () => {
    const { run } = watched().learn(cancel("abort", "deadline"), snapshot("completed"), collected);
    expect(run.status).toBe("succeeded");
  });

  test("a live run that we abort long after its timeout is cancelled, not timed out", () => {
    const times = { startedAt: NOW, endedAt: NOW + 600_000 };
    const { run, execution } = watched().learn(cancel(), snapshot("aborted", times), collected);
    expect(run.status).toBe("cancelled");
    expect(execution?.timedOut).toBe(false);
  });
});

describe("a second request", () => {
  test("a second request hardens a stop to an abort, which is sent anew", () => {
    const story = watched().learn(cancel("stop"), stopSent).wait(5_000).learn(cancel("abort"));
    expect(story.run.cancellation?.mode).toBe("abort");
    expect(story.execution).toMatchObject({ dueAt: story.now, cancelSentAt: null });
  });

  test.each([
    ["abort", "stop"],
    ["abort", "abort"],
    ["stop", "stop"],
  ] as const)("after %s, %s changes nothing", (first, second) => {
    const story = watched().learn(cancel(first), cancelSent);
    const { run, execution } = story;
    story.wait(5_000).learn(cancel(second));
    expect([story.run, story.execution]).toEqual([run, execution]);
  });
});

describe("a run that is over at Lyceum", () => {
  test("a run that is over at Lyceum and is being collected keeps its outcome", () => {
    const story = watched().learn(snapshot("completed"), cancel(), collected);
    expect(story.run).toMatchObject({ status: "succeeded", outcome: "succeeded", cancellation: null });
  });

  test.each([
    ["succeeded", snapshot("completed")],
    ["cancelled", snapshot("cancelled")],
  ])("a run that is over at Lyceum and has %s stays so, whatever comes", (status, last) => {
    const story = watched().learn(last, collected);
    const { run, execution } = story;
    story.learn(cancel(), callback, snapshot("running"), accepted(), claim, collected);
    expect(run.status).toBe(status);
    expect([story.run, story.execution]).toEqual([run, execution]);
  });
});
