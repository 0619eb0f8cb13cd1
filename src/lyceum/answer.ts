// Lyceum's answers as parsed: no other field leaves this folder. Times are epoch ms; null: left out by Lyceum.
import type { LogEntry } from "../domain/logs.ts";
import type { Sample } from "../domain/metrics.ts";

/** `word` is Lyceum's raw status. */
export interface ListedRow {
  executionId: string;
  word: string;
  fileName: string | null;
  parentExecutionId: string | null;
  hasEnd: boolean;
}

export interface HistoryRow extends ListedRow {
  hardwareProfile: string | null;
  createdAt: number | null;
  /** The node took the job (Lyceum's spelling). */
  execeletStart: number | null;
  startTime: number | null;
  endTime: number | null;
  /** Lyceum received and stored the results; may be later than `endTime`. */
  finishTime: number | null;
  billed: number | null;
  statusDetails: string | null;
}

/** Without the parts that may hold secrets (environment, registry logins, code). */
export interface RecordAnswer extends HistoryRow {
  stdout: string | null;
  stderr: string | null;
  /** May be the only output that is filled. */
  combinedOutput: string | null;
  returnCode: number | null;
  /** Any JSON as the received text; null when absent. */
  result: string | null;
  errors: string | null;
  warnings: string | null;
  installLog: string | null;
  installReturnCode: number | null;
}

export interface StatusAnswer {
  /** Null: the answer names no execution. */
  executionId: string | null;
  word: string;
  errors: string | null;
}

export interface GpuSelectionAnswer {
  executionId: string | null;
  /** Null: the selection's record decides. */
  word: string | null;
  subJobs: { executionId: string; word: string | null; hardwareProfile: string | null }[];
}

/** Names and numbers are Lyceum's own; the unit is not documented (seconds likely). */
export interface TimingAnswer {
  executionId: string | null;
  startTime: number | null;
  endTime: number | null;
  durations: Record<string, number>;
  phases: Record<string, { startTime: number | null; endTime: number | null; duration: number | null }>;
}

export interface MetricsAnswer {
  executionId: string | null;
  hostname: string | null;
  startTime: number | null;
  endTime: number | null;
  /** Series under Lyceum's names, such as `gpuUtilizationPercent`; each may be empty or missing. */
  series: Record<string, Sample[]>;
}

export interface LogsAnswer {
  executionIds: string[];
  entries: LogEntry[];
  /** The returned or all matching entries: not documented. */
  total: number | null;
}

export interface HistoryAnswer {
  rows: HistoryRow[];
  /** Count of all rows, unreadable rows included. */
  count: number;
  oddAt?: number[];
  total: number | null;
}

export interface EndingAnswer {
  word: string | null;
  message: string | null;
}

export interface MachineType {
  hardwareProfile: string;
  pricePerHour: number | null;
}
