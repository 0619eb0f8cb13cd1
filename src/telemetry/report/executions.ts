// Events of executions: start, checks and close.
import type { RunKind } from "../../domain/spec.ts";
import { pauseReasons, type StartPause } from "../../domain/start-pause.ts";
import type { CheckCause, SubmissionOutcome } from "../metrics.ts";
import { type ExecutionEnd, executionSpans } from "../spans.ts";
import { MAX_DETAIL, type Recorder } from "./recorder.ts";

export function executionEvents({ log, metrics, traces }: Recorder) {
  return {
    executionStarted(execution: {
      executionId: string;
      jobId: string;
      runId: string;
      kind: RunKind;
      attempt: number;
    }): void {
      const { executionId, jobId, runId, kind, attempt } = execution;
      metrics.executionsStarted.inc({ kind });
      log.debug(
        {
          event: "execution_started",
          job_id: jobId,
          run_id: runId,
          execution_id: executionId,
          kind,
          attempt,
        },
        "execution started",
      );
    },

    /** `detail` quotes Lyceum or the transport. */
    submission(start: {
      executionId: string;
      jobId: string;
      runId: string;
      outcome: SubmissionOutcome;
      detail?: string | undefined;
    }): void {
      const { executionId, jobId, runId, outcome, detail } = start;
      metrics.submissions.inc({ outcome });
      const line = {
        event: "submission",
        job_id: jobId,
        run_id: runId,
        execution_id: executionId,
        outcome,
        detail: detail?.slice(0, MAX_DETAIL),
      };
      log[outcome === "accepted" ? "info" : "warn"](line, `submission ${outcome}`);
    },

    /** Null: starts resume. Logged when the reason changes, not with each failed probe. */
    startsPaused(pause: StartPause | null, before: StartPause | null): void {
      for (const reason of pauseReasons)
        metrics.startsPaused.set({ reason }, reason === pause?.reason ? 1 : 0);
      if (pause?.reason === before?.reason) return;
      if (pause === null) {
        log.info({ event: "starts_resumed", reason: before?.reason, since: before?.since }, "starts resumed");
        return;
      }
      const { reason, detail, since, probeAt } = pause;
      const line = { event: "starts_paused", reason, detail, since, probe_at: probeAt };
      log[reason === "restarted" ? "info" : "warn"](line, `starts are paused: ${detail}`);
    },

    /** `word` is Lyceum's status word, null without an answer. */
    check({
      executionId,
      jobId,
      cause,
      word,
    }: {
      executionId: string;
      jobId: string;
      cause: CheckCause;
      word: string | null;
    }): void {
      metrics.checks.inc({ cause });
      log.debug(
        {
          event: "check",
          job_id: jobId,
          execution_id: executionId,
          cause,
          word: word?.slice(0, MAX_DETAIL),
        },
        "checked",
      );
      const attributes = { cause, word: word?.slice(0, MAX_DETAIL) ?? "" };
      traces()?.record({ name: "check", jobId, under: executionId, attributes });
    },

    /** A list poll showed no change of these executions. */
    unchanged({ executions }: { executions: number }): void {
      metrics.checks.inc({ cause: "routine" }, executions);
      log.debug({ event: "unchanged", executions }, "executions unchanged");
    },

    callbacksMissed(ends: number): void {
      metrics.callbacksMissed.inc(ends);
    },

    /** Nothing more is done about the execution. */
    executionClosed(end: ExecutionEnd): void {
      for (const span of executionSpans(end)) traces()?.record(span);
    },

    /** A lost execution showed up at Lyceum after its run was decided. */
    orphan(orphan: { executionId: string; jobId: string; lyceumExecutionId: string }): void {
      metrics.orphans.inc();
      const { executionId, jobId, lyceumExecutionId } = orphan;
      const ids = { job_id: jobId, execution_id: executionId, lyceum_execution_id: lyceumExecutionId };
      log.warn({ event: "orphan", ...ids }, "orphan found at Lyceum");
    },
  };
}
