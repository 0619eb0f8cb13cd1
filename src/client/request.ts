// Requests: the body of a submission, and filters. Runs have Lyceum's own field names.
import type { JobStatus, Outcome, RunKind, RunStatus } from "./answer.ts";
import type { components } from "./schema.ts";

type Schemas = components["schemas"];

export type JobRequest = Schemas["Submission"];
export type RunRequest = JobRequest["runs"][number];
/** Kinds of failure that may be retried. */
export type RetryClass = NonNullable<Schemas["RetryPolicy"]["on"]>[number];

export interface JobFilter {
  status?: JobStatus | readonly JobStatus[];
  name?: string;
  /** The name of an API key; for readers and administrators. */
  key?: string;
  created_after?: string;
  created_before?: string;
}

export interface RunFilter {
  status?: RunStatus | readonly RunStatus[];
  outcome?: Outcome;
  name?: string;
  kind?: RunKind;
  hardware?: string;
  error_code?: string;
  reason?: string;
  created_after?: string;
  created_before?: string;
  /** Only for the runs of a job; a leading `-` sorts descending. */
  sort?: `${"" | "-"}${"position" | "duration" | "cost" | "ended_at"}`;
}

export interface InboxFilter {
  disposition?: "received" | "early" | "duplicate" | "late";
  execution_id?: string;
  received_after?: string;
  received_before?: string;
}

export interface UsageQuery {
  /** Days such as 2026-01-31; without them, the last 30. */
  from?: string;
  to?: string;
  group?: "day" | "key" | "hardware";
  key?: string;
}

export interface StatsQuery {
  /** ISO 8601; without them, the last hour by the minute or the last day by the hour. */
  from?: string;
  to?: string;
  step?: "1m" | "1h";
}
