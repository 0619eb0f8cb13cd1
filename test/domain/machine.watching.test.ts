// While Lyceum has it: readings, callbacks, and what is no longer known there.
import { describe, expect, test } from "vitest";
import {
  accepted,
  beyondAbort,
  callback,
  cancel,
  cancelSent,
  claim,
  collected,
  foundElsewhere,
  NOW,
  notFound,
  rules,
  Story,
  snapshot,
} from "./scene.ts";

const watched = () => new Story().learn(claim, accepted());

describe("a snapshot", () => {
  test.each(["pending", "starting", "running"] as const)("%s is shown, and the run goes on", (word) => {
    const story = watched().wait(5_000).learn(snapshot(word));
    expect(story.statuses).toBe(`active/${word}`);
    expect(story.execution?.dueAt).toBe(story.now + rules.pollMinMs);
  });

  test("a snapshot of an unknown word keeps the status and stores the word", () => {
    const story = watched().learn(snapshot("running"), snapshot(null));
    expect(story.execution).toMatchObject({ status: "running", rawStatus: "paused" });
  });

  test("a snapshot of the same status word causes no event", () => {
    const story = watched().learn(snapshot("running"));
    const told = story.events.length;
    expect(story.learn(snapshot("running")).events).toHaveLength(told);
  });

  test.each(["completed", "failed", "system_failure", "cancelled", "aborted"] as const)(
    "%s ends the execution, and its artifacts are collected",
    (word) => {
      const story = watched()
        .wait(5_000)
        .learn(snapshot(word, { returnCode: 0 }));
      expect(story.statuses).toBe(`collecting/${word}`);
      expect(story.execution).toMatchObject({ phase: "collecting", dueAt: story.now, detectedBy: "poll" });
      expect(story.events.slice(-2)).toEqual([`execution.${word}`, "run.collecting"]);
    },
  );

  test("a snapshot without a field keeps the field of an earlier snapshot", () => {
    const story = watched().learn(snapshot("running", { startedAt: NOW, hardware: "a100" }));
    expect(story.learn(snapshot("completed")).execution).toMatchObject({ startedAt: NOW, hardware: "a100" });
  });

  test("a snapshot after the end changes nothing", () => {
    const story = watched().learn(snapshot("completed"));
    const over = story.execution;
    expect(story.learn(snapshot("running"), snapshot("failed")).execution).toBe(over);
  });
});

describe("a callback", () => {
  test("a callback has the execution checked now, and concludes nothing", () => {
    const story = watched().wait(1_000).learn(callback);
    expect(story.statuses).toBe("active/pending");
    expect(story.execution?.dueAt).toBe(story.now);
  });

  test("a callback newer than the question is not answered by it: the check is due again now", () => {
    const story = watched()
      .wait(2_000)
      .learn(callback)
      .wait(10)
      .learn(snapshot("running", {}, NOW + 1_000));
    expect(story.execution?.dueAt).toBe(story.now);
  });

  test("a callback older than the answer is followed by quick checks", () => {
    const story = watched()
      .wait(2_000)
      .learn(callback)
      .wait(10)
      .learn(snapshot("running", {}, NOW + 2_005));
    expect(story.execution?.dueAt).toBe(story.now + 1_000);
  });

  test("a callback from the future, as after the clock was set back, does not have it checked without a pause", () => {
    const story = watched().wait(3_600_000).learn(callback).wait(-3_500_000);
    story.learn(snapshot("running", {}, story.now - 100));
    expect(story.execution?.dueAt).toBe(story.now + 1_000);
  });

  test("a callback after the end changes nothing", () => {
    const story = watched().learn(snapshot("completed"));
    const over = story.execution;
    expect(story.learn(callback).execution).toBe(over);
  });
});

describe("an execution that Lyceum accepted and does not know", () => {
  test("an execution that Lyceum accepted and does not know is not missed while its record may not be visible yet", () => {
    const story = watched().wait(59_000).learn(notFound).wait(500).learn(notFound);
    expect(story.execution).toMatchObject({ unseenMs: 0, checkedAt: null, phase: "watching" });
  });

  test("an execution that Lyceum accepted and does not know is lost after the grace", () => {
    const story = watched().wait(60_000).learn(notFound).searchInVain(8);
    expect(story.statuses).toBe("failed/lost");
    expect(story.run.error?.detail).toBe("Lyceum accepted it and no longer knows it");
  });

  test("an execution that Lyceum accepted and does not know has its full grace again once it was seen", () => {
    const story = watched().wait(60_000).learn(notFound).searchInVain(7);
    story.learn(snapshot("running", {}, story.now));
    expect(story.searchInVain(7).statuses).toBe("active/running");
    expect(story.searchInVain(1).statuses).toBe("failed/lost");
  });

  test("an execution that Lyceum accepted and does not know is lost after two searches that took longer than the grace", () => {
    const search = (story: Story) => {
      const under = { type: "unanswered", retryAt: NOW, isUnderWay: true } as const;
      story.wait(70_000).learn(under).wait(70_000).learn(under);
      return story.learn({ type: "not_found", askedAt: story.now, searchedMs: 140_000 });
    };
    const story = search(watched().wait(60_000));
    expect(story.statuses).toBe("active/pending");
    expect(search(story).statuses).toBe("failed/lost");
  });

  test("an execution that Lyceum accepted and does not know is not failed by an outage, however long", () => {
    const story = watched();
    for (let day = 0; day < 30; day++) {
      story.wait(86_400_000).learn({ type: "unanswered", retryAt: story.now + 60_000 });
    }
    expect(story.statuses).toBe("active/pending");
  });
});

describe("an execution whose marker is found under another id than the start's answer named", () => {
  test("an execution whose marker is found under another id than the start's answer named is watched under that id from now on, with its full grace", () => {
    const story = watched().wait(60_000).learn(notFound).searchInVain(3).learn(foundElsewhere);
    expect(story.execution).toMatchObject({ lyceumExecutionId: "lyc_other", unseenMs: 0, dueAt: story.now });
    expect(story.statuses).toBe("active/pending");
    expect(story.events.at(-1)).toBe("execution.accepted");
  });

  test("an execution whose marker is found under another id than the start's answer named is told of once, and its cancellation is sent anew", () => {
    const story = watched().learn(cancel(), cancelSent, foundElsewhere);
    const told = story.events.length;
    expect(story.execution?.cancelSentAt).toBeNull();
    expect(story.learn(foundElsewhere).events).toHaveLength(told);
  });

  test("an execution whose marker is found under another id than the start's answer named does not give it up for what a late answer of the start says", () => {
    const story = watched().learn(foundElsewhere, accepted("running"));
    expect(story.execution?.lyceumExecutionId).toBe("lyc_other");
  });
});

describe("an execution that Lyceum has nothing to abort of", () => {
  const unknown = (waitMs: number) => watched().wait(waitMs).learn(cancel(), cancelSent, beyondAbort(null));

  test("an execution that Lyceum has nothing to abort of is alive under a word that is not known until its timeout is over, and failed then", () => {
    expect(unknown(89_999).statuses).toBe("active/pending");
    const story = unknown(90_000);
    expect(story.statuses).toBe("collecting/failed");
    expect(story.execution?.error).toContain('"paused"');
    expect(story.learn(collected).run).toMatchObject({ status: "failed", error: { code: "failed" } });
  });

  test("an execution that Lyceum has nothing to abort of has its timeout from when it began", () => {
    const story = watched().learn(snapshot("running", { startedAt: NOW + 60_000 }));
    story.wait(100_000).learn(cancel(), cancelSent, beyondAbort(null));
    expect(story.statuses).toBe("active/running");
  });

  test("an execution that Lyceum has nothing to abort of is alive under a word that is known, for seven days", () => {
    const story = watched().wait(90_000).learn(cancel(), cancelSent, beyondAbort("running"));
    expect(story.statuses).toBe("active/running");
    expect(story.wait(7 * 86_400_000).learn(beyondAbort("running")).statuses).toBe("collecting/failed");
  });

  test("an execution that Lyceum has nothing to abort of is alive under any word as long as nobody asked for its end", () => {
    expect(watched().wait(600_000).learn(snapshot(null)).statuses).toBe("active/pending");
  });
});

describe("an execution that is still alive after seven days", () => {
  const expired = () =>
    watched()
      .wait(7 * 86_400_000)
      .learn(snapshot("running"));

  test("an execution that is still alive after seven days is aborted now", () => {
    const story = expired();
    expect(story.statuses).toBe("active/running");
    expect(story.run.cancellation).toEqual({ mode: "abort", cause: "expired" });
    expect(story.execution).toMatchObject({ dueAt: story.now, cancelSentAt: null });
  });

  test("an execution that is still alive after seven days has failed once it is over", () => {
    const { run } = expired().learn(snapshot("aborted"), collected);
    expect(run).toMatchObject({ status: "failed", error: { code: "expired" } });
  });

  test("an execution that is still alive after seven days goes on one millisecond before", () => {
    const story = watched()
      .wait(7 * 86_400_000 - 1)
      .learn(snapshot("running"));
    expect(story.run.cancellation).toBeNull();
  });
});
