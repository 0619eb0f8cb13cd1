// From the claim to the start's answer, or through the doubt: a sentence for each row of the table.
import { describe, expect, test } from "vitest";
import type { Execution } from "../../src/domain/execution.ts";
import type { Policy, Run } from "../../src/domain/run.ts";
import { step } from "./pairs.ts";
import {
  accepted,
  always,
  aMoment,
  anExecution,
  aRun,
  callback,
  cancel,
  cancelSent,
  claim,
  NOW,
  never,
  noAnswer,
  notFound,
  notTaken,
  refused,
  rules,
  Story,
  snapshot,
  unavailable,
} from "./scene.ts";

const unanswered = { type: "unanswered", retryAt: NOW + 60_000 } as const;
const onLostRetry: Policy = { ...never, onLost: "retry" };

describe("claiming a run", () => {
  test("claiming a run creates an execution before the start is sent, and counts the attempt", () => {
    const story = new Story().learn(claim);
    expect(story.statuses).toBe("active/submitting");
    expect(story.run).toMatchObject({ attempt: 1, executionId: "exe_1", startedAt: NOW, dueAt: null });
    expect(story.events).toEqual(["run.active", "execution.submitting"]);
  });

  test("claiming a run leaves the start its time before it comes into doubt", () => {
    expect(new Story().learn(claim).execution?.dueAt).toBe(NOW + rules.submitPatienceMs);
  });

  test("claiming a run is refused before the run is due", () => {
    expect(new Story(never, { dueAt: NOW + 1 }).learn(claim).statuses).toBe("queued/none");
  });

  test("claiming a run is refused a second time", () => {
    const story = new Story().learn(claim, { type: "claimed", executionId: "exe_2" });
    expect(story.run).toMatchObject({ executionId: "exe_1", attempt: 1 });
  });
});

describe("the start's answer", () => {
  test("an accepted start is watched, with Lyceum's id", () => {
    const story = new Story().learn(claim, accepted());
    expect(story.statuses).toBe("active/pending");
    expect(story.execution).toMatchObject({ lyceumExecutionId: "lyc_1", dueAt: NOW + rules.pollMinMs });
    expect(story.events.slice(2)).toEqual(["execution.accepted", "execution.pending"]);
  });

  test("a start that is accepted with a terminal word is due for a check, which alone may conclude", () => {
    const story = new Story().learn(claim, accepted("completed"));
    expect(story.statuses).toBe("active/pending");
    expect(story.execution?.dueAt).toBe(NOW);
  });

  test("a start that is accepted after an early callback is due for a check now", () => {
    const story = new Story().learn(claim).wait(100).learn(callback).wait(100);
    expect(story.execution?.dueAt).toBe(NOW + rules.submitPatienceMs);
    expect(story.learn(accepted()).execution?.dueAt).toBe(NOW + 200);
  });

  test("a second acceptance of a start changes nothing", () => {
    const story = new Story().learn(claim, accepted());
    const before = story.execution;
    expect(story.learn(accepted("running", true)).execution).toBe(before);
  });

  test("a throttled start makes the run wait again, and the attempt is given back", () => {
    const story = new Story().learn(claim, notTaken);
    expect(story.statuses).toBe("queued/none");
    expect(story.run).toMatchObject({ attempt: 0, executionId: null, dueAt: NOW + 600_000 });
    expect(story.events.at(-1)).toBe("run.queued");
  });

  test("a refused start fails the run, with Lyceum's words", () => {
    const story = new Story(always).learn(claim, refused);
    expect(story.statuses).toBe("failed/rejected");
    expect(story.run.error).toEqual({
      code: "rejected",
      detail: "Lyceum refused the request (422): no such GPU",
      reason: null,
    });
    expect(story.events.slice(2)).toEqual(["execution.rejected", "run.failed"]);
  });

  test("a start without an answer is in doubt, and searched for at once", () => {
    const story = new Story().learn(claim).wait(180_000).learn(noAnswer);
    expect(story.statuses).toBe("active/submitting");
    expect(story.execution).toMatchObject({ inDoubtAt: story.now, dueAt: story.now });
    expect(story.events.at(-1)).toBe("execution.in_doubt");
  });
});

describe("in doubt", () => {
  const inDoubt = (policy = never) => new Story(policy).learn(claim, noAnswer);

  test("a start in doubt that is found is watched like any other", () => {
    const story = inDoubt().searchInVain(3).learn(accepted("running", true));
    expect(story.statuses).toBe("active/running");
    expect(story.execution).toMatchObject({ unseenMs: 0, error: null });
  });

  test("a start in doubt that is found at its end is collected after the next check", () => {
    const story = inDoubt().learn(accepted("completed", true), snapshot("completed"));
    expect(story.statuses).toBe("collecting/completed");
  });

  test("the late answer to the start still counts, whichever it is", () => {
    expect(inDoubt().learn(accepted()).statuses).toBe("active/pending");
    expect(inDoubt().learn(refused).statuses).toBe("failed/rejected");
    expect(inDoubt().learn(notTaken).statuses).toBe("queued/none");
  });

  test("a callback has it searched for now", () => {
    const story = inDoubt().searchInVain(1).wait(1_000).learn(callback);
    expect(story.execution).toMatchObject({ dueAt: story.now, callbackAt: story.now });
  });

  test("a start in doubt that is not found within the grace is searched for again", () => {
    const story = inDoubt().searchInVain(8);
    expect(story.statuses).toBe("active/submitting");
    expect(story.execution).toMatchObject({ unseenMs: 105_000, dueAt: story.now + 15_000 });
  });

  test("a start in doubt that is not found after the grace is lost, and the run has failed", () => {
    const story = inDoubt().searchInVain(9);
    expect(story.statuses).toBe("failed/lost");
    expect(story.run.error?.code).toBe("lost");
    expect(story.events.slice(-2)).toEqual(["execution.lost", "run.failed"]);
  });

  test.each([
    ["on_lost: retry", onLostRetry],
    ["retry.on: lost", { retry: { maxAttempts: 2, on: ["lost"] }, onLost: "fail" } as const],
  ])(
    "a start in doubt that is not found after the grace, with %s, makes the run wait for another attempt",
    (_what, policy) => {
      const story = inDoubt(policy).searchInVain(9);
      expect(story.statuses).toBe("queued/lost");
      expect(story.events.slice(-2)).toEqual(["execution.lost", "run.queued"]);
    },
  );

  test("a start that is lost on the last attempt fails the run even if losses are retried", () => {
    const lastAttempt: Policy = { retry: { maxAttempts: 1, on: ["lost"] }, onLost: "retry" };
    expect(inDoubt(lastAttempt).searchInVain(9).statuses).toBe("failed/lost");
  });

  test("look-ups without an answer never use up the grace", () => {
    const story = inDoubt();
    for (let hour = 0; hour < 24; hour++) story.wait(3_600_000).learn(unanswered, notFound, unanswered);
    expect(story.statuses).toBe("active/submitting");
    expect(story.execution?.unseenMs).toBe(0);
  });

  test("our own downtime counts for no more than two search intervals", () => {
    const story = inDoubt().searchInVain(1).wait(86_400_000).learn(notFound);
    expect(story.execution?.unseenMs).toBe(30_000);
  });
});

describe("a 503 as the start's answer", () => {
  const before = { attempt: 1, executionId: "exe_0", startedAt: NOW - 60_000 };
  const told = (run: Partial<Run> = before) => new Story(never, run).learn(claim, unavailable);
  const verified = (story: Story) => {
    for (let n = 0; n < 9; n++) story.wait(3_750).learn(notFound);
    return story;
  };

  test("a 503 as the start's answer has the start searched for at once, as one in doubt", () => {
    const story = told();
    expect(story.execution).toMatchObject({ inDoubtAt: NOW, doubt: "unavailable", dueAt: NOW });
    expect(story.events.at(-1)).toBe("execution.in_doubt");
  });

  test("a 503 that is not confirmed for half a minute of answers is searched for again", () => {
    const story = told();
    for (let n = 0; n < 8; n++) story.wait(3_750).learn(notFound);
    expect(story.execution).toMatchObject({ unseenMs: 26_250, dueAt: story.now + 3_750 });
  });

  test("a confirmed 503 makes the run wait again as if the start had never been", () => {
    const story = verified(told());
    expect(story.run).toMatchObject({ status: "queued", ...before, dueAt: story.now });
    expect(story.execution).toBeNull();
    expect(story.events.at(-1)).toBe("run.queued");
  });

  test("a confirmed 503 on the first attempt leaves the run unstarted", () => {
    expect(verified(told({})).run).toMatchObject({ attempt: 0, executionId: null, startedAt: null });
  });

  test("a 503 as the start's answer is confirmed within IN_DOUBT_AFTER where that is shorter", () => {
    const short = { ...rules, inDoubtAfterMs: 4_000 };
    const execution = anExecution({ ...inDoubtBy503, unseenMs: 3_000, checkedAt: NOW - 1_000 });
    const next = step({ run: active, execution, policy: never }, notFound, aMoment({ rules: short })).next;
    expect(next).toMatchObject({ run: { status: "queued", attempt: 0 }, execution: null });
  });

  test("a 503 that Lyceum's list contradicts counts as a start", () => {
    expect(told().learn(accepted("running", true)).statuses).toBe("active/running");
  });

  test("a callback keeps the search going until a search began after it", () => {
    const execution = anExecution({
      ...inDoubtBy503,
      ...{ unseenMs: 29_000, checkedAt: NOW - 3_750, callbackAt: NOW },
    });
    const asked = { ...notFound, askedAt: NOW - 100 };
    const { next } = step({ run: active, execution, policy: never }, asked);
    expect(next).toMatchObject({ run: active, execution: { callbackAt: NOW, dueAt: NOW } });
  });

  test("a 503 that is confirmed after a cancellation cancels the run", () => {
    expect(verified(told().learn(cancel())).statuses).toBe("cancelled/none");
  });

  test("a 503 as the start's answer that comes after the patience was over still spares the run a loss", () => {
    const story = told().learn(noAnswer);
    expect(story.execution?.doubt).toBe("unavailable");
    const late = new Story().learn(claim, noAnswer, unavailable);
    expect(late.execution?.doubt).toBe("unavailable");
    expect(late.events.filter((type) => type === "execution.in_doubt")).toHaveLength(1);
  });

  const active = aRun({ status: "active", attempt: 1, executionId: "exe_1", dueAt: null });
  const inDoubtBy503: Partial<Execution> = {
    phase: "submitting",
    status: "submitting",
    lyceumExecutionId: null,
    inDoubtAt: NOW - 40_000,
    doubt: "unavailable",
  };
});

describe("an orphan", () => {
  const orphan = () => new Story(onLostRetry).learn(claim, noAnswer).searchInVain(9);

  test("an orphan that shows up is reported and read at once; its run is not affected", () => {
    const story = orphan().learn(accepted("running", true));
    expect(story.statuses).toBe("queued/lost");
    expect(story.execution).toMatchObject({ lyceumExecutionId: "lyc_1", dueAt: story.now });
    expect(story.events.at(-1)).toBe("execution.orphaned");
  });

  test("an orphan is closed once its record tells of its end, with what it cost", () => {
    const bill = { startedAt: NOW, endedAt: NOW + 30_000, cost: 0.25 };
    const story = orphan().learn(accepted("running", true), snapshot("aborted", bill));
    expect(story.execution).toMatchObject({
      phase: "closed",
      status: "lost",
      rawStatus: "aborted",
      dueAt: null,
    });
    expect(story.execution).toMatchObject({ ...bill, costSource: "billed", detectedAt: story.now });
    expect(story.statuses).toBe("queued/lost");
  });

  test("an orphan that took time and shows no bill is read once more", () => {
    const ended = { startedAt: NOW, endedAt: NOW + 30_000, cost: 0 };
    const story = orphan().learn(accepted("running", true), snapshot("aborted", ended));
    const detectedAt = story.now;
    expect(story.execution).toMatchObject({ phase: "orphan", dueAt: detectedAt + 60_000, cost: null });
    story.wait(60_000).learn(snapshot("aborted", { ...ended, cost: 0.25 }));
    expect(story.execution).toMatchObject({ phase: "closed", cost: 0.25, costSource: "billed", detectedAt });
    const unbilled = orphan().learn(accepted("running", true), snapshot("aborted", ended));
    unbilled.wait(60_000).learn(snapshot("aborted", ended, unbilled.now));
    expect(unbilled.execution?.phase).toBe("closed");
  });

  test("an orphan is read again after it was aborted, until its record tells of its end", () => {
    const story = orphan().learn(accepted("running", true), snapshot("running"), cancelSent);
    expect(story.execution).toMatchObject({
      phase: "orphan",
      cancelSentAt: story.now,
      dueAt: story.now + 1_000,
    });
  });

  test("an orphan that Lyceum had accepted is told of when its record shows up again, and that once", () => {
    const story = new Story().learn(claim, accepted()).wait(60_000).learn(notFound).searchInVain(8);
    expect(story.statuses).toBe("failed/lost");
    story.learn(snapshot("running"), snapshot("running"), snapshot("completed"));
    expect(story.events.filter((type) => type === "execution.orphaned")).toHaveLength(1);
    expect(story.execution).toMatchObject({ phase: "closed", status: "lost", rawStatus: "completed" });
  });

  test("an orphan is closed after seven days, whatever its record says", () => {
    const story = orphan()
      .learn(accepted("running", true))
      .wait(7 * 86_400_000)
      .learn(snapshot("running"));
    expect(story.execution).toMatchObject({ phase: "closed", status: "lost" });
  });

  test("an orphan is searched for until its time is over", () => {
    const story = orphan().wait(3_599_000).learn(notFound);
    expect(story.execution?.phase).toBe("orphan");
    expect(story.wait(1_000).learn(notFound).execution?.phase).toBe("closed");
  });

  test("an orphan is looked for at once when a callback names it", () => {
    const story = orphan().wait(1_000).learn(callback);
    expect(story.execution?.dueAt).toBe(story.now);
  });

  test("an orphan does not touch the run's next attempt", () => {
    const run = aRun({ status: "active", attempt: 2, executionId: "exe_2", dueAt: null });
    const execution = anExecution({ phase: "orphan", status: "lost", lyceumExecutionId: null, endedAt: NOW });
    for (const fact of [accepted("completed", true), snapshot("completed"), notFound, callback, unanswered]) {
      expect(step({ run, execution, policy: always }, fact, aMoment()).next.run).toBe(run);
    }
  });
});
