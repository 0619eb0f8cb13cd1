// While Lyceum has it: readings, callbacks, and what is no longer known there.
import { describe, expect, test } from "vitest";
import { accepted, callback, claim, collected, NOW, notFound, reading, rules, Story } from "./scene.ts";

const watched = () => new Story().learn(claim, accepted());

describe("a reading", () => {
  test.each(["pending", "starting", "running"] as const)("%s is shown, and the run goes on", (word) => {
    const story = watched().wait(5_000).learn(reading(word));
    expect(story.statuses).toBe(`active/${word}`);
    expect(story.execution?.dueAt).toBe(story.now + rules.pollMinMs);
  });

  test("of an unknown word leaves the status and keeps the word", () => {
    const story = watched().learn(reading("running"), reading(null));
    expect(story.execution).toMatchObject({ status: "running", rawStatus: "paused" });
  });

  test("of the same word has no event", () => {
    const story = watched().learn(reading("running"));
    const told = story.events.length;
    expect(story.learn(reading("running")).events).toHaveLength(told);
  });

  test.each(["completed", "failed", "system_failure", "cancelled", "aborted"] as const)(
    "%s ends the execution, and its artifacts are collected",
    (word) => {
      const story = watched()
        .wait(5_000)
        .learn(reading(word, { returnCode: 0 }));
      expect(story.statuses).toBe(`collecting/${word}`);
      expect(story.execution).toMatchObject({ phase: "collecting", dueAt: story.now, detectedBy: "poll" });
      expect(story.events.slice(-2)).toEqual([`execution.${word}`, "run.collecting"]);
    },
  );

  test("without a field leaves what an earlier one said", () => {
    const story = watched().learn(reading("running", { startedAt: NOW, hardware: "a100" }));
    expect(story.learn(reading("completed")).execution).toMatchObject({ startedAt: NOW, hardware: "a100" });
  });

  test("after the end changes nothing", () => {
    const story = watched().learn(reading("completed"));
    const over = story.execution;
    expect(story.learn(reading("running"), reading("failed")).execution).toBe(over);
  });
});

describe("a callback", () => {
  test("has the execution checked now, and concludes nothing", () => {
    const story = watched().wait(1_000).learn(callback);
    expect(story.statuses).toBe("active/pending");
    expect(story.execution?.dueAt).toBe(story.now);
  });

  test("newer than the question is not answered by it: the check is due again now", () => {
    const story = watched()
      .wait(2_000)
      .learn(callback)
      .wait(10)
      .learn(reading("running", {}, NOW + 1_000));
    expect(story.execution?.dueAt).toBe(story.now);
  });

  test("older than the question was followed: the next checks come quickly", () => {
    const story = watched()
      .wait(2_000)
      .learn(callback)
      .wait(10)
      .learn(reading("running", {}, NOW + 2_005));
    expect(story.execution?.dueAt).toBe(story.now + 1_000);
  });

  test("from the future, as after the clock was set back, does not have it checked without a pause", () => {
    const story = watched().wait(3_600_000).learn(callback).wait(-3_500_000);
    story.learn(reading("running", {}, story.now - 100));
    expect(story.execution?.dueAt).toBe(story.now + 1_000);
  });

  test("after the end changes nothing", () => {
    const story = watched().learn(reading("completed"));
    const over = story.execution;
    expect(story.learn(callback).execution).toBe(over);
  });
});

describe("an execution that Lyceum accepted and does not know", () => {
  test("is not missed while its record may not be visible yet", () => {
    const story = watched().wait(59_000).learn(notFound).wait(500).learn(notFound);
    expect(story.execution).toMatchObject({ unseenMs: 0, lookedAt: null, phase: "watching" });
  });

  test("is lost after the grace", () => {
    const story = watched().wait(60_000).learn(notFound).searchInVain(8);
    expect(story.statuses).toBe("failed/lost");
    expect(story.run.error?.detail).toBe("Lyceum accepted it and no longer knows it");
  });

  test("has its full grace again once it was seen", () => {
    const story = watched().wait(60_000).learn(notFound).searchInVain(7);
    story.learn(reading("running", {}, story.now));
    expect(story.searchInVain(7).statuses).toBe("active/running");
    expect(story.searchInVain(1).statuses).toBe("failed/lost");
  });

  test("is not failed by an outage, however long", () => {
    const story = watched();
    for (let day = 0; day < 30; day++) {
      story.wait(86_400_000).learn({ fact: "unanswered", retryAt: story.now + 60_000 });
    }
    expect(story.statuses).toBe("active/pending");
  });
});

describe("an execution that is still alive after seven days", () => {
  const expired = () =>
    watched()
      .wait(7 * 86_400_000)
      .learn(reading("running"));

  test("is aborted now", () => {
    const story = expired();
    expect(story.statuses).toBe("active/running");
    expect(story.run.cancellation).toEqual({ mode: "abort", cause: "expired" });
    expect(story.execution).toMatchObject({ dueAt: story.now, cancelSentAt: null });
  });

  test("has failed once it is over", () => {
    const { run } = expired().learn(reading("aborted"), collected);
    expect(run).toMatchObject({ status: "failed", error: { code: "expired" } });
  });

  test("and one millisecond less goes on", () => {
    const story = watched()
      .wait(7 * 86_400_000 - 1)
      .learn(reading("running"));
    expect(story.run.cancellation).toBeNull();
  });
});
