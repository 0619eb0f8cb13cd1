// The line of the log that tells a run's whole life, written once at its end.
import { type RunPhase, runPhases, type Stretch } from "../domain/run-phases.ts";
import type { Detector, EndStatus } from "./metrics.ts";

export interface RunEnd {
  jobId: string;
  runId: string;
  executionId: string | null;
  key: string;
  status: EndStatus;
  error: string | null;
  reason: string | null;
  attempts: number;
  phases: Record<RunPhase, Stretch | null>;
  /** Credits of all executions. */
  cost: number | null;
  costSource: string | null;
  detectedBy: Detector | null;
  /** From the end at Lyceum to its detection; null if Lyceum gave no end time. Negative if Lyceum's clock is ahead. */
  delayMs: number | null;
}

export function runEndLine(end: RunEnd): Record<string, unknown> {
  const durations = runPhases.map((phase) => {
    const stretch = end.phases[phase];
    return [`${phase}_ms`, stretch === null ? null : stretch.to - stretch.from];
  });
  return {
    event: "run_ended",
    job_id: end.jobId,
    run_id: end.runId,
    execution_id: end.executionId,
    key_name: end.key,
    status: end.status,
    error: end.error,
    reason: end.reason,
    attempts: end.attempts,
    ...Object.fromEntries(durations),
    cost: end.cost,
    cost_source: end.costSource,
    detected_by: end.detectedBy,
    delay_ms: end.delayMs,
  };
}
