// Answers about jobs, runs, executions and events. Times are ISO 8601 in UTC.
import type { components, EventType } from "./schema.ts";

type Schemas = components["schemas"];

/** `queue` is present only where a single job is read. */
export type Job = Schemas["Job"] & Partial<Pick<Schemas["JobDetails"], "queue">>;
export type Run = Schemas["Run"];
export type Execution = Schemas["Execution"];
export type ResultRow = Schemas["ResultRow"];
export type JobStatus = Job["status"];
export type RunStatus = Run["status"];
export type RunKind = Run["kind"];
export type Outcome = NonNullable<Run["outcome"]>;

/** An immutable, numbered entry of the event log. Later versions of the service may have further types. */
export type ProctorEvent = Omit<Schemas["Event"], "type"> & { type: EventType | (string & {}) };
