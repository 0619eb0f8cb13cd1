// The outcome of a run when its execution is over.
import { describe, expect, test } from "vitest";
import type { ExecutionStatus } from "../../src/domain/execution.ts";
import type { FailureReason } from "../../src/domain/failure-reason.ts";
import type { Policy, RetryClass } from "../../src/domain/run.ts";
import {
  afterCollection,
  cancelled,
  concludeRun,
  requeueOrCancel,
  retryIfAllowed,
} from "../../src/domain/state-machine/run-outcome.ts";
import { always, anExecution, aRun, NOW, never } from "./scene.ts";

const active = aRun({ status: "active", attempt: 1, executionId: "exe_1", dueAt: null });
const moment = { now: NOW, random: 0 };
const ended = (status: ExecutionStatus, timedOut = false) => anExecution({ status, timedOut });
const on = (...classes: RetryClass[]): Policy => ({ retry: { maxAttempts: 3, on: classes }, onLost: "fail" });

describe("another attempt", () => {
  test("another attempt waits a second at least, and says why and until when", () => {
    const again = retryIfAllowed(active, ended("failed"), on("failed"), moment, null);
    expect(again?.run).toMatchObject({ status: "queued", dueAt: NOW + 1_000, executionId: "exe_1" });
    expect(again?.events).toEqual([
      {
        type: "run.queued",
        jobId: "job_1",
        runId: "run_1",
        data: { reason: "failed", attempt: 1, not_before: "2026-09-01T08:00:01.000Z" },
      },
    ]);
  });

  test.each(["completed", "cancelled", "aborted", "rejected"] as const)(
    "is never granted to what ended as %s within its time",
    (status) => {
      expect(retryIfAllowed(active, ended(status), always, moment, null)).toBeNull();
    },
  );

  test("another attempt is granted up to the last attempt, not after it", () => {
    const after = (attempt: number) =>
      retryIfAllowed({ ...active, attempt }, ended("failed"), always, moment, null);
    expect([1, 2, 3, 4].map((attempt) => after(attempt) !== null)).toEqual([true, true, false, false]);
  });

  test("another attempt is never granted to a run that is being cancelled", () => {
    const run = { ...active, cancellation: { mode: "stop", cause: "request" } as const };
    expect(retryIfAllowed(run, ended("failed"), always, moment, null)).toBeNull();
  });

  test("another attempt is granted to a lost execution by on_lost and by retry.on", () => {
    const granted = (policy: Policy) => retryIfAllowed(active, ended("lost"), policy, moment, null) !== null;
    expect(granted(never)).toBe(false);
    expect(granted(on("lost"))).toBe(true);
    expect(granted({ ...never, onLost: "retry" })).toBe(true);
  });

  test("another attempt is granted to the reason of a failure alone, and the event names that reason", () => {
    const again = (reason: FailureReason | null) =>
      retryIfAllowed(active, ended("failed"), on("out_of_memory"), moment, reason);
    expect(again("out_of_memory")?.events[0]?.data).toMatchObject({ reason: "out_of_memory" });
    expect([again(null), again("nccl")]).toEqual([null, null]);
  });

  test("another attempt that the policy grants to losses only is not granted to failures", () => {
    expect(retryIfAllowed(active, ended("failed"), { ...never, onLost: "retry" }, moment, null)).toBeNull();
  });
});

test("a run whose start was never accepted waits again under any policy", () => {
  const { run, execution } = requeueOrCancel(active, null, NOW + 9_000, "throttled", NOW);
  expect(run).toMatchObject({ status: "queued", dueAt: NOW + 9_000 });
  expect(execution).toBeNull();
});

test.each([
  ["completed", "succeeded"],
  ["failed", "failed"],
  ["system_failure", "failed"],
  ["cancelled", "cancelled"],
  ["aborted", "cancelled"],
] as const)(
  "an execution that ended as %s makes the outcome %s, and the status once collected",
  (status, outcome) => {
    const collecting = concludeRun(active, ended(status), null);
    const { error } = collecting.run;
    expect(collecting.run).toMatchObject({ status: "collecting", outcome, endedAt: null });
    const done = afterCollection(collecting.run, ended(status), NOW, null);
    expect(done.run).toMatchObject({ status: outcome, outcome, endedAt: NOW, dueAt: null });
    const common = { jobId: "job_1", runId: "run_1", data: { attempt: 1, outcome, error } };
    expect(collecting.events).toEqual([{ type: "run.collecting", ...common }]);
    expect(done.events).toEqual([{ type: `run.${outcome}`, ...common }]);
  },
);

test("the record completes the error's detail, and never changes its code", () => {
  const { run } = concludeRun(active, ended("failed"), null);
  expect(run.error).toEqual({ code: "failed", detail: "it failed", reason: null });
  const told = afterCollection(run, anExecution({ status: "failed", returnCode: 3 }), NOW, null);
  expect(told.run.error).toEqual({ code: "failed", detail: "it exited with 3", reason: null });
  const contradicted = afterCollection(run, ended("failed", true), NOW, null);
  expect(contradicted.run).toMatchObject({
    outcome: "failed",
    error: { code: "failed", detail: "it failed" },
  });
});

test("a reason known with the outcome stays, and one that only the record tells is added", () => {
  const { run } = concludeRun(active, ended("failed"), "nccl");
  expect(afterCollection(run, ended("failed"), NOW, "disk_full").run.error?.reason).toBe("nccl");
  const { run: untold } = concludeRun(active, ended("failed"), null);
  expect(afterCollection(untold, ended("failed"), NOW, "disk_full").run.error?.reason).toBe("disk_full");
});

test("a run that Lyceum ended for its timeout has failed, unless it was cancelled", () => {
  expect(concludeRun(active, ended("aborted", true), null).run.error?.code).toBe("timeout");
  const run = { ...active, cancellation: { mode: "abort", cause: "request" } as const };
  expect(concludeRun(run, ended("aborted", true), null).run.outcome).toBe("cancelled");
});

test.each([
  ["request", "cancelled", "cancelled on request"],
  ["run_failure", "cancelled", "another run of the job failed"],
  ["deadline", "failed", "the job's deadline passed before the run was over"],
] as const)("a cancellation for %s makes the run %s", (cause, status, detail) => {
  const { run } = cancelled({ ...active, cancellation: { mode: "abort", cause } }, NOW);
  expect(run).toMatchObject({ status, outcome: status, error: { detail } });
});
