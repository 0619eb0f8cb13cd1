// One function per business event. Ids go to the log, never to a label. Callers pass no token, key or raw record.
import type { Logger } from "./logger.ts";
import type { Metrics } from "./metrics.ts";
import { executionEvents } from "./report/executions.ts";
import { jobEvents } from "./report/jobs.ts";
import type { Recorder } from "./report/recorder.ts";
import { restoreEvents } from "./report/restore.ts";
import { serviceEvents } from "./report/service.ts";
import { trafficEvents } from "./report/traffic.ts";
import type { Traces } from "./traces.ts";

export type Report = ReturnType<typeof createReport>;

export interface ReportParts {
  traces?: () => Traces | null;
  /** The database is closed. */
  hasStopped?: () => boolean;
}

export function createReport(
  log: Logger,
  metrics: Metrics,
  { traces = () => null, hasStopped = () => false }: ReportParts = {},
) {
  const unsaved = new Map<string, number>();
  const count = (name: string, by = 1) => {
    const sum = (unsaved.get(name) ?? 0) + by;
    if (sum === 0) unsaved.delete(name);
    else unsaved.set(name, sum);
  };
  const recorder: Recorder = { log, metrics, traces, count };
  return {
    ...jobEvents(recorder),
    ...executionEvents(recorder),
    ...trafficEvents(recorder),
    ...serviceEvents(recorder, hasStopped),
    ...restoreEvents(recorder),

    /** Counts for the charts that are not in the database yet, by name. */
    unsaved: (): ReadonlyMap<string, number> => new Map(unsaved),

    /** These counts are durable. */
    saved(counts: ReadonlyMap<string, number>): void {
      for (const [name, by] of counts) count(name, -by);
    },
  };
}
