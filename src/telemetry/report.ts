// One function per business event: a log line and its metrics. Ids go to the log, never to a label. Callers pass no token,
// key or raw record; API keys are named.
import type { RunKind } from "../domain/spec.ts";
import { pauseReasons, type StartPause } from "../domain/start-pause.ts";
import { DatabaseUnavailable } from "../lib/database-error.ts";
import { currentSubject } from "../lib/subject.ts";
import type { Logger } from "./logger.ts";
import type { CheckCause, DeliveryOutcome, Disposition, Metrics, SubmissionOutcome } from "./metrics.ts";
import { type RunEnd, runEndLine } from "./run-end.ts";
import { type ExecutionEnd, executionSpans, runSpans } from "./spans.ts";
import type { JobTraced, Traces } from "./traces.ts";

const maxDetail = 300;

export type Report = ReturnType<typeof createReport>;

/** @param traces asked at each event, because they open after the report */
export function createReport(log: Logger, metrics: Metrics, traces: () => Traces | null = () => null) {
  const unsaved = new Map<string, number>();
  const count = (name: string, by = 1) => {
    const sum = (unsaved.get(name) ?? 0) + by;
    if (sum === 0) unsaved.delete(name);
    else unsaved.set(name, sum);
  };
  return {
    /** Counts by their names in the charts (store/stats.ts), of what happened outside of transactions. */
    unsaved: (): ReadonlyMap<string, number> => new Map(unsaved),

    /** These counts are durable. */
    saved(counts: ReadonlyMap<string, number>): void {
      for (const [name, by] of counts) count(name, -by);
    },

    /** A new job is durable. `key` is the name of the API key. */
    jobSubmitted({ jobId, runs, key }: { jobId: string; runs: number; key: string }): void {
      metrics.jobsSubmitted.inc();
      log.info({ event: "job_submitted", job_id: jobId, runs, key_name: key }, "job submitted");
    },

    /** A new job has a trace. Its submission is the first span. */
    jobTraced(job: JobTraced): void {
      traces()?.recordJob(job);
    },

    /** The collector of traces cannot be reached: spans are lost meanwhile. Null: it works again. */
    tracesExport(error: Error | null): void {
      if (error === null) log.info({ event: "traces_exported" }, "traces are exported again");
      else log.warn({ event: "traces_not_exported", why: error.message }, "traces cannot be exported");
    },

    /** An execution is durable and about to be sent to Lyceum. */
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

    /** The outcome of a start request; `detail` quotes Lyceum or the transport. */
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
        detail: detail?.slice(0, maxDetail),
      };
      log[outcome === "accepted" ? "info" : "warn"](line, `submission ${outcome}`);
    },

    /** All starts pause, or resume (null). Logged when the reason changes, not with each failed probe. */
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

    /** A rejected callback has no execution id, because its sender chose the id. */
    callback(callback: {
      executionId: string | null;
      jobId: string | null;
      disposition: Disposition;
      /** Why it was rejected. */
      reason?: "missing_token" | "wrong_token";
    }): void {
      const { executionId, jobId, disposition, reason } = callback;
      metrics.callbacks.inc({ disposition });
      if (reason !== undefined) count(`callbacks.rejected.${reason}`);
      // Only at debug level: a line per callback would cost a tenth of the throughput, and each has an event.
      log[executionId === null ? "info" : "debug"](
        { event: "callback", job_id: jobId, execution_id: executionId, disposition },
        `callback ${disposition}`,
      );
      if (jobId !== null && executionId !== null)
        traces()?.record({ name: "callback", jobId, under: executionId, attributes: { disposition } });
    },

    /** A callback to an unknown path. Not every one is logged, because anyone can send such requests. */
    strayCallback({ publicPath, isLogged }: { publicPath: string; isLogged: boolean }): void {
      metrics.callbacks.inc({ disposition: "rejected" });
      count("callbacks.rejected.unknown_path");
      if (!isLogged) return;
      log.warn(
        {
          event: "callback",
          disposition: "rejected",
          reason: "unknown_path",
          public_url_path: publicPath || "/",
        },
        `callback to an unknown path: Proctor serves callbacks at / and at the path of PUBLIC_URL (${publicPath || "/"}); make the proxy forward one of them`,
      );
    },

    /** A check of an execution; `word` is Lyceum's status word, null without an answer. */
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
          word: word?.slice(0, maxDetail),
        },
        "checked",
      );
      const attributes = { cause, word: word?.slice(0, maxDetail) ?? "" };
      traces()?.record({ name: "check", jobId, under: executionId, attributes });
    },

    /** Polling found ends although callbacks were requested. */
    callbacksMissed(ends: number): void {
      metrics.callbacksMissed.inc(ends);
    },

    /** A writing transaction is on disk, with this number of writes. */
    committed({ writes, durationMs }: { writes: number; durationMs: number }): void {
      metrics.commitSeconds.observe(durationMs / 1000);
      metrics.commitGroupSize.observe(writes);
    },

    /** A list poll showed no change of these executions. */
    unchanged({ executions }: { executions: number }): void {
      metrics.checks.inc({ cause: "routine" }, executions);
      log.debug({ event: "unchanged", executions }, "executions unchanged");
    },

    /** A run is terminal: the one line that tells all of it. */
    ended(end: RunEnd): void {
      const { detectedBy, delayMs } = end;
      metrics.runsEnded.inc({ status: end.status });
      // Two clocks are compared: a skewed clock must not lower the sum.
      if (detectedBy !== null && delayMs !== null)
        metrics.detectionDelaySeconds.observe({ detected_by: detectedBy }, Math.max(0, delayMs) / 1000);
      log.info(runEndLine(end), `run ${end.status}`);
      for (const span of runSpans(end)) traces()?.record(span);
    },

    /** Nothing more is done about an execution. */
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

    /** The budget of a job is used up, or of a key until its window ends. */
    budgetReached(budget: { jobId: string | null; key: string; heldUntil: number | null }): void {
      const { jobId, key, heldUntil } = budget;
      const line = { event: "budget_reached", job_id: jobId, key_name: key, held_until: heldUntil };
      log.warn(line, `budget of the ${jobId === null ? "key" : "job"} used up`);
    },

    /** Lyceum refused for days to delete the records of a deleted job, so they stay there. */
    recordsLeft({ jobId, lyceumExecutionIds }: { jobId: string; lyceumExecutionIds: string[] }): void {
      const line = { event: "records_left", job_id: jobId, lyceum_execution_ids: lyceumExecutionIds };
      log.warn(line, "records left at Lyceum");
    },

    /** An attempt to deliver. The URL is not logged, because it may contain a secret of the subscriber. */
    delivery(attempt: {
      deliveryId: string;
      webhookId: string | null;
      jobId: string;
      attempts: number;
      outcome: DeliveryOutcome;
      status: number | null;
      error: string | null;
      durationMs: number;
    }): void {
      const { deliveryId, webhookId, jobId, attempts, outcome, status, error, durationMs } = attempt;
      metrics.deliveries.inc({ outcome });
      metrics.deliverySeconds.observe({ outcome }, durationMs / 1000);
      const ids = { delivery_id: deliveryId, webhook_id: webhookId, job_id: jobId };
      const line = { event: "delivery", ...ids, attempts, outcome, status, error, duration_ms: durationMs };
      log[outcome === "delivered" ? "info" : "warn"](line, `delivery ${outcome}`);
      const span = { name: "webhook delivery", jobId, durationMs, isOutgoing: true };
      traces()?.record({ ...span, isFailed: outcome !== "delivered", attributes: { attempts, outcome } });
    },

    /** All deliveries failed for a day, or the subscriber answered 410. */
    webhookDisabled({ webhookId, reason }: { webhookId: string; reason: string }): void {
      metrics.webhooksDisabled.inc();
      log.warn({ event: "webhook_disabled", webhook_id: webhookId, reason }, "webhook disabled");
    },

    /** An HTTP request to Lyceum. `endpoint` is a template without ids, `outcome` the answer's status or `none`. */
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
      count("lyceum.calls");
      if (/^(none|429|5\d\d)$/.test(outcome)) count("lyceum.failed");
      metrics.lyceumCallSeconds.observe({ endpoint }, durationMs / 1000);
      log.debug(
        { event: "lyceum_call", ...subjectIds(), endpoint, outcome, duration_ms: durationMs },
        "Lyceum called",
      );
      const subject = currentSubject();
      if (subject === null) return;
      const { jobId, executionId } = subject;
      const isFailed = !/^[23]/.test(outcome);
      const span = { name: endpoint, jobId, under: executionId, durationMs, isOutgoing: true, isFailed };
      traces()?.record({ ...span, attributes: { outcome } });
    },

    /** An answered request. `route` is the template (`/v1/jobs/:job`), or a fixed word if none matched. */
    httpRequest(request: {
      requestId: string;
      route: string;
      method: string;
      status: number;
      durationMs: number;
      key: string | null;
      /** The ids of the resource that the caller named or made, and may see. */
      ids?: Readonly<Record<string, string>>;
    }): void {
      const { requestId, route, method, status, durationMs, key, ids } = request;
      metrics.httpRequests.inc({ route, method, status: String(status) });
      metrics.httpRequestSeconds.observe({ route }, durationMs / 1000);
      // Successful requests only at debug level: a line per request would cost a quarter of the throughput.
      log[status >= 500 ? "error" : status >= 400 ? "info" : "debug"](
        {
          event: "http_request",
          request_id: requestId,
          ...ids,
          route,
          method,
          status,
          duration_ms: durationMs,
          key_name: key,
        },
        `${method} ${route} ${status}`,
      );
    },

    /** The database became unavailable, or (null) takes writes again. */
    outage(outage: DatabaseUnavailable | null): void {
      if (outage === null) log.warn({ event: "database_back" }, "the database takes writes again");
      else log.error({ event: "database_unavailable", why: outage.type, err: outage }, outage.message);
    },

    /** An unexpected error of a worker, which continues. */
    fault(where: string, error: unknown): void {
      metrics.faults.inc({ where });
      // `outage` has logged it, and every worker meets it every second.
      if (error instanceof DatabaseUnavailable) return;
      log.error({ event: "fault", ...subjectIds(), where, err: error }, `fault in ${where}`);
    },

    /** This machine's clock differs from the database's, which all instances use; or it agrees again. */
    /** A verified backup is on disk. */
    backedUp({ path, bytes, removed }: { path: string; bytes: number; removed: number }): void {
      log.info({ event: "backed_up", path, bytes, removed }, "database backed up");
    },

    /** The database was restored: nothing starts until the starts since then are found. */
    restoredSearching({ since }: { since: number }): void {
      const line = { event: "restored", since: new Date(since).toISOString() };
      log.warn(line, "database restored: starts pause until those since the backup are found at Lyceum");
    },

    /** A start of a known run was found after a restore; if not adopted, its attempt takes it over later. */
    startRecognized(found: { executionId: string; runId: string; isAdopted: boolean }): void {
      const { executionId, runId, isAdopted } = found;
      const line = {
        event: "start_recognized",
        execution_id: executionId,
        run_id: runId,
        adopted: isAdopted,
      };
      log.info(line, "start found after the restore");
    },

    /** An execution of an unknown run was found after a restore. */
    strayFound(stray: { executionId: string; lyceumExecutionId: string; word: string }): void {
      const { executionId, lyceumExecutionId, word } = stray;
      const line = {
        event: "stray_found",
        execution_id: executionId,
        lyceum_execution_id: lyceumExecutionId,
        word,
      };
      log.warn(line, "execution of an unknown run found after the restore: it is not aborted");
    },

    strayEnded({
      executionId,
      word,
      cost,
    }: {
      executionId: string;
      word: string;
      cost: number | null;
    }): void {
      const line = { event: "stray_ended", execution_id: executionId, word, cost };
      log.info(line, "execution of an unknown run has ended");
    },

    clockSkewed({ aheadMs, isOver }: { aheadMs: number; isOver: boolean }): void {
      const line = { event: "clock_skewed", ahead_ms: Math.round(aheadMs) };
      if (isOver) log.info(line, "the clock agrees with the database's again");
      else log.warn(line, "the clock differs from the database's: set it by NTP");
    },

    /** An instance sent no heartbeat for too long. Other instances take over its work. */
    instanceLost({ instance }: { instance: string }): void {
      log.warn({ event: "instance_lost", instance }, "an instance is gone: its work is due again");
    },

    /** The time to knowledge of the last day's ends; null without ends. */
    timeToKnowledge(
      knowledge: { p50Ms: number; p95Ms: number; p99Ms: number; shareInTime: number } | null,
    ): void {
      if (knowledge === null) return;
      const { p50Ms, p95Ms, p99Ms, shareInTime } = knowledge;
      for (const [quantile, ms] of Object.entries({ 0.5: p50Ms, 0.95: p95Ms, 0.99: p99Ms }))
        metrics.timeToKnowledgeSeconds.set({ quantile }, ms / 1000);
      metrics.knownInTimeRatio.set(shareInTime);
    },

    /** Queue depths as just read from the database. */
    levels({ queued, live, withoutWakeup }: { queued: number; live: number; withoutWakeup: number }): void {
      metrics.queueDepth.set(queued);
      metrics.liveExecutions.set(live);
      metrics.rowsWithoutWakeup.set(withoutWakeup);
      if (withoutWakeup > 0)
        log.error({ event: "rows_without_wakeup", rows: withoutWakeup }, "unfinished rows without a wake-up");
    },
  };
}

/** Ids of the execution that the present work is for; none for work that several executions share. */
function subjectIds(): Record<string, string> {
  const subject = currentSubject();
  if (subject === null) return {};
  return { job_id: subject.jobId, run_id: subject.runId, execution_id: subject.executionId };
}
