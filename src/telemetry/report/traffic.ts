// Requests that Proctor answers, and requests that it sends to Lyceum and to subscribers.
import { currentSubject } from "../../lib/subject.ts";
import type { DeliveryOutcome, Disposition } from "../metrics.ts";
import { type Recorder, subjectIds } from "./recorder.ts";

export function trafficEvents({ log, metrics, traces, count }: Recorder) {
  return {
    /** `route` is the template (`/v1/jobs/:job`), or a fixed word if none matched. */
    httpRequest(request: {
      requestId: string;
      route: string;
      method: string;
      status: number;
      /** The kind of problem that it is answered with. */
      reason: string | null;
      durationMs: number;
      key: string | null;
      /** The ids of the resource that the caller named or made, and may see. */
      ids?: Readonly<Record<string, string>>;
    }): void {
      const { requestId, route, method, status, reason, durationMs, key, ids } = request;
      metrics.httpRequests.inc({ route, method, status: String(status) });
      metrics.httpRequestSeconds.observe({ route }, durationMs / 1000);
      // Successful requests only at debug level: a line per request would cost a quarter of the throughput.
      const level = status >= 500 ? "error" : status >= 400 ? "info" : "debug";
      if (!log.isLevelEnabled(level)) return;
      log[level](
        {
          event: "http_request",
          request_id: requestId,
          ...ids,
          route,
          method,
          status,
          ...(reason === null ? {} : { reason }),
          duration_ms: durationMs,
          key_name: key,
        },
        `${method} ${route} ${status}`,
      );
    },

    /** A rejected callback has no execution id, because its sender chose the id. */
    callback(callback: {
      executionId: string | null;
      jobId: string | null;
      disposition: Disposition;
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

    /** Not every request is logged, because anyone can send them. */
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

    /** `endpoint` is a template without ids, `outcome` the answer's status or `none`. */
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

    /** The URL is not logged, because it may contain a secret of the subscriber. */
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

    webhookDisabled({ webhookId, reason }: { webhookId: string; reason: string }): void {
      metrics.webhooksDisabled.inc();
      log.warn({ event: "webhook_disabled", webhook_id: webhookId, reason }, "webhook disabled");
    },
  };
}
