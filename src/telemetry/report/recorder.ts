// The sinks of an event: the log, the metrics, the traces and the counts for charts.
import { currentSubject } from "../../lib/subject.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics.ts";
import type { Traces } from "../traces.ts";

export interface Recorder {
  log: Logger;
  metrics: Metrics;
  /** Called at each event, because traces open after the report. */
  traces: () => Traces | null;
  /** Adds to a count of the charts (`store/stats.ts`) for an event outside of transactions. */
  count: (name: string) => void;
}

/** Bounds texts of Lyceum. */
export const MAX_DETAIL = 300;

/** None for work that several executions share. */
export function subjectIds(): Record<string, string> {
  const subject = currentSubject();
  if (subject === null) return {};
  return { job_id: subject.jobId, run_id: subject.runId, execution_id: subject.executionId };
}
