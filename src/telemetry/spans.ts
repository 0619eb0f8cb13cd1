// The spans of a run and of its executions, recorded from the stored moments once they have ended.
import { type RunPhase, runPhases, type Stretch } from "../domain/run-phases.ts";
import type { RunEnd } from "./run-end.ts";
import type { SpanRecord } from "./traces.ts";

export interface ExecutionEnd {
  jobId: string;
  runId: string;
  executionId: string;
  attempt: number;
  status: string;
  submittedAt: number;
  phases: Record<RunPhase, Stretch | null>;
}

export function runSpans({ jobId, runId, status, phases, attempts }: RunEnd): SpanRecord[] {
  const attributes = { "proctor.run_id": runId, "proctor.status": status, "proctor.attempts": attempts };
  const startedAt = phases.queued === null ? {} : { startedAt: phases.queued.from };
  const run = { name: "run", jobId, ofRow: runId, isFailed: status === "failed", attributes, ...startedAt };
  return [run, ...spansOf(["queued"], phases, { jobId, under: runId })];
}

export function executionSpans(end: ExecutionEnd): SpanRecord[] {
  const { jobId, runId, executionId, attempt, status, submittedAt, phases } = end;
  const attributes = {
    "proctor.run_id": runId,
    "proctor.execution_id": executionId,
    "proctor.attempt": attempt,
    "proctor.status": status,
  };
  const execution = {
    name: "execution",
    jobId,
    ofRow: executionId,
    under: runId,
    startedAt: submittedAt,
    attributes,
  };
  const inExecution = runPhases.filter((phase) => phase !== "queued");
  return [execution, ...spansOf(inExecution, phases, { jobId, under: executionId })];
}

function spansOf(
  names: readonly RunPhase[],
  phases: Record<RunPhase, Stretch | null>,
  place: Pick<SpanRecord, "jobId" | "under">,
): SpanRecord[] {
  return names.flatMap((name) => {
    const stretch = phases[name];
    return stretch === null ? [] : [{ name, ...place, startedAt: stretch.from, endedAt: stretch.to }];
  });
}
