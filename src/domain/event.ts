// Events: immutable, numbered facts about a job, run or execution, written with the change they tell of.
import type { ExecutionStatus } from "./execution.ts";
import type { JobStatus } from "./job.ts";
import type { RunStatus } from "./run.ts";

export type EventType =
  | "job.created"
  | `job.${Exclude<JobStatus, "queued">}`
  | `run.${RunStatus}`
  | `execution.${ExecutionStatus}`
  | "execution.in_doubt"
  | "execution.accepted"
  | "execution.orphaned"
  | "callback.received";

/** An event before it has its number. `data` never holds a secret: events are shown, streamed and delivered. */
export interface EventDraft {
  type: EventType;
  jobId: string;
  runId?: string | undefined;
  executionId?: string | undefined;
  data: Record<string, unknown>;
}
