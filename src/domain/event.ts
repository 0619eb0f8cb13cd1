// Events: immutable, numbered entries about a job, run or execution, written with the change that they report.
import { type ExecutionStatus, executionStatuses } from "./execution.ts";
import { type JobStatus, jobStatuses } from "./job.ts";
import { type RunStatus, runStatuses } from "./run.ts";

export type EventType =
  | "job.created"
  | `job.${Exclude<JobStatus, "queued">}`
  | `run.${RunStatus}`
  | `execution.${ExecutionStatus}`
  | "execution.in_doubt"
  | "execution.accepted"
  | "execution.orphaned"
  | "callback.received"
  | "webhook.disabled";

export const eventTypes: readonly EventType[] = [
  "job.created",
  ...jobStatuses.filter((status) => status !== "queued").map((status) => `job.${status}` as const),
  ...runStatuses.map((status) => `run.${status}` as const),
  ...executionStatuses.map((status) => `execution.${status}` as const),
  "execution.in_doubt",
  "execution.accepted",
  "execution.orphaned",
  "callback.received",
  "webhook.disabled",
];

export interface EventDraft {
  type: EventType;
  jobId: string;
  runId?: string | undefined;
  executionId?: string | undefined;
  /** The API key whose webhooks receive the event, if it is not the job's. */
  owner?: string | undefined;
  data: Record<string, unknown>;
}

export function isJobEnd(type: string): boolean {
  return type === "job.succeeded" || type === "job.failed" || type === "job.cancelled";
}
