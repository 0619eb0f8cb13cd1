// One function per business event: one log line and its numbers. Ids go to the log, never to a label.
// Nobody passes a token, a key or a raw record here; of an API key only its name.

import type { RunKind } from "../domain/spec.ts";
import { pauseReasons, type StartPause } from "../domain/start-pause.ts";
import { DatabaseUnavailable } from "../lib/database-error.ts";
import type { Logger } from "./logger.ts";
import type {
  CheckCause,
  DeliveryOutcome,
  Detector,
  Disposition,
  EndStatus,
  Metrics,
  SubmissionOutcome,
} from "./metrics.ts";

/** Lyceum's texts are of unknown length. */
const maxDetail = 300;

export type Report = ReturnType<typeof createReport>;

export function createReport(log: Logger, metrics: Metrics) {
  let rejected = 0;
  return {
    /** Callbacks with a wrong token or at a wrong address since the start: they are counted here alone, not in the database. */
    rejectedCallbacks: () => rejected,

    /** A new job is durable. `key` is the name of the API key, not the key. */
    jobSubmitted({ jobId, runs, key }: { jobId: string; runs: number; key: string }): void {
      metrics.jobsSubmitted.inc();
      log.info({ event: "job_submitted", job_id: jobId, runs, key_name: key }, "job submitted");
    },

    /** An execution is durable and about to be sent to Lyceum. */
    executionStarted(it: { executionId: string; runId: string; kind: RunKind; attempt: number }): void {
      metrics.executionsStarted.inc({ kind: it.kind });
      const { executionId, runId, kind, attempt } = it;
      log.debug(
        { event: "execution_started", execution_id: executionId, run_id: runId, kind, attempt },
        "execution started",
      );
    },

    /** What a start request came to; `detail` in Lyceum's or the transport's words. */
    submission(it: { executionId: string; outcome: SubmissionOutcome; detail?: string | undefined }): void {
      metrics.submissions.inc({ outcome: it.outcome });
      const line = {
        event: "submission",
        execution_id: it.executionId,
        outcome: it.outcome,
        detail: it.detail?.slice(0, maxDetail),
      };
      log[it.outcome === "accepted" ? "info" : "warn"](line, `submission ${it.outcome}`);
    },

    /** All starts wait, or go on (null). Told again when the reason changes, not with each failed probe. */
    startsPaused(pause: StartPause | null, before: StartPause | null): void {
      for (const reason of pauseReasons)
        metrics.startsPaused.set({ reason }, reason === pause?.reason ? 1 : 0);
      if (pause?.reason === before?.reason) return;
      if (pause === null) {
        log.info({ event: "starts_resumed", reason: before?.reason, since: before?.since }, "starts go on");
        return;
      }
      const { reason, detail, since, probeAt } = pause;
      const line = { event: "starts_paused", reason, detail, since, probe_at: probeAt };
      log[reason === "restarted" ? "info" : "warn"](line, `starts are paused: ${detail}`);
    },

    /** A callback came in. A rejected one names no execution: whoever sent it chose the id. */
    callback({ executionId, disposition }: { executionId: string | null; disposition: Disposition }): void {
      metrics.callbacks.inc({ disposition });
      if (disposition === "rejected") rejected++;
      // What was received is told by an event of its own; a line each would cost a tenth of the callbacks.
      log[executionId === null ? "info" : "debug"](
        { event: "callback", execution_id: executionId, disposition },
        `callback ${disposition}`,
      );
    },

    /** Counts a callback to an unknown path. Anybody may send such a request, so not each is logged. */
    strayCallback({ publicPath, isTold }: { publicPath: string; isTold: boolean }): void {
      metrics.callbacks.inc({ disposition: "rejected" });
      rejected++;
      if (!isTold) return;
      log.warn(
        {
          event: "callback",
          disposition: "rejected",
          reason: "unknown_path",
          public_url_path: publicPath || "/",
        },
        `a callback came to an unknown path: callbacks are served at / and at the path of PUBLIC_URL (${publicPath || "/"}); have the proxy pass on one of them`,
      );
    },

    /** Lyceum was asked about an execution; `word` is its status word, null when it had no answer. */
    check({
      executionId,
      cause,
      word,
    }: {
      executionId: string;
      cause: CheckCause;
      word: string | null;
    }): void {
      metrics.checks.inc({ cause });
      log.debug(
        { event: "check", execution_id: executionId, cause, word: word?.slice(0, maxDetail) },
        "checked",
      );
    },

    /** One list showed these as they were known. */
    unchanged({ executions }: { executions: number }): void {
      metrics.checks.inc({ cause: "routine" }, executions);
      log.debug({ event: "unchanged", executions }, "as they were known");
    },

    /** A run is terminal. Without an execution (cancelled while queued) the last three are null. */
    ended(it: {
      runId: string;
      status: EndStatus;
      executionId: string | null;
      detectedBy: Detector | null;
      /** From the end at Lyceum to our knowledge of it; null when Lyceum gave no end. */
      delayMs: number | null;
    }): void {
      metrics.runsEnded.inc({ status: it.status });
      // Two clocks are compared: a skewed one must not lower the sum.
      if (it.detectedBy !== null && it.delayMs !== null)
        metrics.detectionDelaySeconds.observe({ detected_by: it.detectedBy }, Math.max(0, it.delayMs) / 1000);
      const { runId, executionId, status, detectedBy, delayMs } = it;
      log.info(
        {
          event: "run_ended",
          run_id: runId,
          execution_id: executionId,
          status,
          detected_by: detectedBy,
          delay_ms: delayMs,
        },
        `run ${status}`,
      );
    },

    /** An execution showed up at Lyceum after its run had been decided without it. */
    orphan({ executionId, lyceumExecutionId }: { executionId: string; lyceumExecutionId: string }): void {
      metrics.orphans.inc();
      log.warn(
        { event: "orphan", execution_id: executionId, lyceum_execution_id: lyceumExecutionId },
        "orphan found at Lyceum",
      );
    },

    /** A budget is used up: of a job, or of a key until its window ends. */
    budgetReached(it: { jobId: string | null; key: string; heldUntil: number | null }): void {
      const line = { event: "budget_reached", job_id: it.jobId, key_name: it.key, held_until: it.heldUntil };
      log.warn(line, `the budget of the ${it.jobId === null ? "key" : "job"} is used up`);
    },

    /** Lyceum did not let the records of a deleted job be deleted, for days: they are left there. */
    recordsLeft(it: { jobId: string; lyceumExecutionIds: string[] }): void {
      const line = { event: "records_left", job_id: it.jobId, lyceum_execution_ids: it.lyceumExecutionIds };
      log.warn(line, "records left at Lyceum");
    },

    /** An attempt to reach a subscriber. Its URL may hold a secret of the subscriber's: it is not told. */
    delivery(it: {
      deliveryId: string;
      webhookId: string | null;
      jobId: string;
      attempts: number;
      outcome: DeliveryOutcome;
      status: number | null;
      error: string | null;
      durationMs: number;
    }): void {
      const { deliveryId, webhookId, jobId, attempts, outcome, status, error, durationMs } = it;
      metrics.deliveries.inc({ outcome });
      metrics.deliverySeconds.observe({ outcome }, durationMs / 1000);
      const ids = { delivery_id: deliveryId, webhook_id: webhookId, job_id: jobId };
      const line = { event: "delivery", ...ids, attempts, outcome, status, error, duration_ms: durationMs };
      log[outcome === "delivered" ? "info" : "warn"](line, `delivery ${outcome}`);
    },

    /** Nothing has arrived at a webhook for a day, or it said that it is gone. */
    webhookDisabled({ webhookId, reason }: { webhookId: string; reason: string }): void {
      metrics.webhooksDisabled.inc();
      log.warn({ event: "webhook_disabled", webhook_id: webhookId, reason }, "webhook disabled");
    },

    /** One HTTP request to Lyceum. `endpoint` is a template without ids, `outcome` the answer's status or `none`. */
    lyceumCall({
      endpoint,
      outcome,
      durationMs,
    }: {
      endpoint: string;
      outcome: string;
      durationMs: number;
    }): void {
      metrics.lyceumCalls.inc({ endpoint, outcome });
      metrics.lyceumCallSeconds.observe({ endpoint }, durationMs / 1000);
      log.debug({ event: "lyceum_call", endpoint, outcome, duration_ms: durationMs }, "Lyceum called");
    },

    /** One request answered. `route` is the template (`/v1/jobs/:job`), or one fixed word where none matched. */
    httpRequest(it: {
      requestId: string;
      route: string;
      method: string;
      status: number;
      durationMs: number;
      key: string | null;
    }): void {
      const { requestId, route, method, status, durationMs, key } = it;
      metrics.httpRequests.inc({ route, method, status: String(status) });
      metrics.httpRequestSeconds.observe({ route }, durationMs / 1000);
      // Answers that are as they should be are counted; a line each would cost a quarter of the requests.
      log[status >= 500 ? "error" : status >= 400 ? "info" : "debug"](
        {
          event: "http_request",
          request_id: requestId,
          route,
          method,
          status,
          duration_ms: durationMs,
          key_name: key,
        },
        `${method} ${route} ${status}`,
      );
    },

    /** The database is unavailable from now on, or (null) no longer. */
    outage(outage: DatabaseUnavailable | null): void {
      if (outage === null) log.warn({ event: "database_back" }, "the database takes writes again");
      else log.error({ event: "database_unavailable", why: outage.type, err: outage }, outage.message);
    },

    /** A worker met what it did not expect. Nothing is lost by it. */
    fault(where: string, error: unknown): void {
      metrics.faults.inc({ where });
      // Everybody meets it, every second, and `outage` has told of it.
      if (error instanceof DatabaseUnavailable) return;
      log.error({ event: "fault", where, err: error }, `fault in ${where}`);
    },

    /** This machine's clock differs from the database's, by which all instances go; or it does not any more. */
    clockSkewed({ aheadMs, isOver }: { aheadMs: number; isOver: boolean }): void {
      const line = { event: "clock_skewed", ahead_ms: Math.round(aheadMs) };
      if (isOver) log.info(line, "the clock agrees with the database's again");
      else log.warn(line, "the clock differs from the database's: set it by NTP");
    },

    /** An instance gave no sign of life; others go on with its work. */
    instanceLost({ instance }: { instance: string }): void {
      log.warn({ event: "instance_lost", instance }, "an instance is gone: its work is due again");
    },

    /** The levels as counted in the database just now. */
    levels(it: { queued: number; live: number; withoutWakeup: number }): void {
      metrics.queueDepth.set(it.queued);
      metrics.liveExecutions.set(it.live);
      metrics.rowsWithoutWakeup.set(it.withoutWakeup);
      if (it.withoutWakeup > 0)
        log.error({ event: "rows_without_wakeup", rows: it.withoutWakeup }, "rows that nothing will look at");
    },
  };
}
