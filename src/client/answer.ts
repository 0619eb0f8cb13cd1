// Answers about jobs, runs, executions and events. Times are ISO 8601 in UTC.
import type { components, EventType } from "./schema.ts";

type Schemas = components["schemas"];

/** `queue` and `trace_url` are present only where a single job is read. */
export type Job = Schemas["Job"] & Partial<Pick<Schemas["JobDetails"], "queue" | "trace_url">>;
/** `trace_url` is present only where a single run is read. */
export type Run = Schemas["Run"] & Partial<Pick<Schemas["RunDetails"], "trace_url">>;
export type Execution = Schemas["Execution"];
/** `streaming_url` is for the owner. */
export type ExecutionAlone = Schemas["ExecutionAlone"];
export type ResultRow = Schemas["ResultRow"];
export type JobStatus = Job["status"];
export type RunStatus = Run["status"];
export type RunKind = Run["kind"];
export type FailureReason = NonNullable<NonNullable<Run["error"]>["reason"]>;
export type Outcome = NonNullable<Run["outcome"]>;

/** An immutable, numbered entry of the event log. Later versions of the service may have further types. */
export type ProctorEvent = Omit<Schemas["Event"], "type"> & { type: EventType | (string & {}) };
