// Artifacts of a run: their types, and reading logs.
import { ProctorError } from "./error.ts";
import type { components } from "./schema.ts";

type Schemas = components["schemas"];

export type Output = Schemas["Output"];
export type Timing = Schemas["Timing"];
export type Metrics = Schemas["Metrics"];
export type LogEntry = Schemas["LogEntry"];

export interface Logs {
  entries: LogEntry[];
  /** The record proves that nothing is missing, or, where it cannot tell, the log had stopped growing. */
  complete: boolean;
  /** Lyceum has more than it gives. */
  truncated: boolean;
  note: string | null;
}

/** With any of `step`, `start` and `end` Lyceum is asked now, and nothing is stored; of a live execution, too. */
export interface MetricsQuery {
  /** Which of the run's executions, counted from 1; left out: the last. */
  attempt?: number | undefined;
  /** The distance of samples, such as `5s`, `15s` or `1m`. */
  step?: string | undefined;
  /** ISO 8601; left out: the execution's start, and its end or now. */
  start?: string | undefined;
  end?: string | undefined;
}

/** All artifacts of a run; null for those that are not available. */
export interface Artifacts {
  output: Output | null;
  logs: Logs | null;
  metrics: Metrics | null;
  timing: Timing | null;
}

/** Reads JSON lines, and the headers about completeness. */
export async function readLogs(response: Response): Promise<Logs> {
  const lines = (await response.text()).split("\n").filter((line) => line !== "");
  return {
    entries: lines.map((line) => JSON.parse(line) as LogEntry),
    complete: response.headers.get("X-Log-Complete") === "true",
    truncated: response.headers.get("X-Log-Truncated") === "true",
    note: response.headers.get("X-Log-Note"),
  };
}

/** Null for an artifact that is not ready or unavailable. An unknown run is an error. */
export async function orNull<T>(artifact: Promise<T>): Promise<T | null> {
  try {
    return await artifact;
  } catch (error) {
    if (error instanceof ProctorError && (error.code === "not-ready" || error.code === "unavailable"))
      return null;
    throw error;
  }
}
