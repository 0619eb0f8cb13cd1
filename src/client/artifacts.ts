// Artifacts of a run: their types, and reading logs.
import type { SeriesSummary } from "./answer.ts";
import { ProctorError } from "./error.ts";

interface OfRun {
  run_id: string;
  execution_id: string;
}

export interface Output extends OfRun {
  stdout: string;
  stderr: string;
  return_code: number | null;
  result: unknown;
  errors: string | null;
  warnings: string | null;
  install_log: string | null;
  install_return_code: number | null;
  status_details: string | null;
}

/** Lyceum's own document. */
export interface Timing extends OfRun {
  timing: Record<string, unknown>;
}

export interface Metrics extends OfRun {
  summary: {
    series: Record<string, SeriesSummary | null>;
    energy_wh: number | null;
    gpu_idle_share: number | null;
  };
  /** Lyceum's own, sample by sample. */
  document: Record<string, unknown>;
}

export interface LogEntry {
  /** ISO 8601 in UTC, to the millisecond; null where Lyceum's text is no time. */
  timestamp: string | null;
  /** Lyceum's text where it differs. */
  raw_timestamp?: string | undefined;
  message: string;
  level: string | null;
  hostname: string | null;
  labels: Record<string, string>;
}

export interface Logs {
  entries: LogEntry[];
  /** The record proves that nothing is missing, or, where it cannot tell, the log had stopped growing. */
  complete: boolean;
  /** Lyceum has more than it gives. */
  truncated: boolean;
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
