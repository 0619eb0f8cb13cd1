// Events of jobs and runs.

import { type RunEnd, runEndLine } from "../run-end.ts";
import { runSpans } from "../spans.ts";
import type { JobTraced } from "../traces.ts";
import type { Recorder } from "./recorder.ts";

export function jobEvents({ log, metrics, traces }: Recorder) {
  return {
    /** `key` is the name of the API key. */
    jobSubmitted({ jobId, runs, key }: { jobId: string; runs: number; key: string }): void {
      metrics.jobsSubmitted.inc();
      log.info({ event: "job_submitted", job_id: jobId, runs, key_name: key }, "job submitted");
    },

    /** The submission is the first span. */
    jobTraced(job: JobTraced): void {
      traces()?.recordJob(job);
    },
    ended(end: RunEnd): void {
      const { detectedBy, delayMs } = end;
      metrics.runsEnded.inc({ status: end.status });
      // Two clocks are compared: a skewed clock must not lower the sum.
      if (detectedBy !== null && delayMs !== null)
        metrics.detectionDelaySeconds.observe({ detected_by: detectedBy }, Math.max(0, delayMs) / 1000);
      log.info(runEndLine(end), `run ${end.status}`);
      for (const span of runSpans(end)) traces()?.record(span);
    },

    /** Until the window ends, for a key. */
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

    /** Null without ends. */
    timeToKnowledge(
      knowledge: { p50Ms: number; p95Ms: number; p99Ms: number; shareInTime: number } | null,
    ): void {
      metrics.knownInTimeRatio.set(knowledge?.shareInTime ?? 1);
      metrics.timeToKnowledgeSeconds.reset();
      if (knowledge === null) return;
      const { p50Ms, p95Ms, p99Ms } = knowledge;
      for (const [quantile, ms] of Object.entries({ 0.5: p50Ms, 0.95: p95Ms, 0.99: p99Ms }))
        metrics.timeToKnowledgeSeconds.set({ quantile }, ms / 1000);
    },
  };
}
