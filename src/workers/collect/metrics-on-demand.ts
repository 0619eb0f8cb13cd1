// Reads metrics from Lyceum on request, a few at a time.
import PQueue from "p-queue";
import { type LiveMetrics, type MetricsSpan, summarizeMetrics } from "../../domain/metrics.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import { metricsDocument } from "./documents.ts";

export function createLiveMetricsReader(lyceum: LyceumClient) {
  const reads = new PQueue({ concurrency: 2 });

  async function read(lyceumExecutionId: string, span: MetricsSpan): Promise<LiveMetrics> {
    const answer = await lyceum.metrics(lyceumExecutionId, { ...span, priority: "routine", size: "large" });
    switch (answer.type) {
      case "ok": {
        const document = metricsDocument(lyceumExecutionId, answer.value);
        return { type: "measured", document, summary: summarizeMetrics(answer.value.series) };
      }
      case "missing":
      case "refused":
      case "unreadable":
        return { type: "none", detail: answer.detail };
      case "throttled":
        return { type: "away", detail: "the rate limit is used up", retryAfterMs: answer.retryAfterMs };
      default:
        return { type: "away", detail: answer.detail, retryAfterMs: RETRY_AFTER_MS };
    }
  }

  return async (lyceumExecutionId: string, span: MetricsSpan): Promise<LiveMetrics> => {
    if (reads.size >= MAX_WAITING)
      return { type: "away", detail: "too many metrics requests are waiting", retryAfterMs: RETRY_AFTER_MS };
    return reads.add(() => read(lyceumExecutionId, span));
  };
}

const MAX_WAITING = 16;
const RETRY_AFTER_MS = 5_000;
