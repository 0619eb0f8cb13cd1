// Events of the service itself: its database, clock, instances and faults.
import { DatabaseUnavailable } from "../../lib/database-error.ts";
import { type Recorder, subjectIds } from "./recorder.ts";

/** @param hasStopped the database is closed */
export function serviceEvents({ log, metrics }: Recorder, hasStopped: () => boolean) {
  return {
    committed({ writes, durationMs }: { writes: number; durationMs: number }): void {
      metrics.commitSeconds.observe(durationMs / 1000);
      metrics.commitGroupSize.observe(writes);
    },

    levels({ queued, live, withoutWakeup }: { queued: number; live: number; withoutWakeup: number }): void {
      metrics.queueDepth.set(queued);
      metrics.liveExecutions.set(live);
      metrics.rowsWithoutWakeup.set(withoutWakeup);
      if (withoutWakeup > 0)
        log.error({ event: "rows_without_wakeup", rows: withoutWakeup }, "unfinished rows without a wake-up");
    },

    /** Null: the database takes writes again. */
    outage(outage: DatabaseUnavailable | null): void {
      if (outage === null) log.warn({ event: "database_back" }, "the database takes writes again");
      else log.error({ event: "database_unavailable", why: outage.type, err: outage }, outage.message);
    },

    /** The worker continues. */
    fault(where: string, error: unknown): void {
      if (hasStopped()) {
        log.info({ event: "outlived", ...subjectIds(), where }, `${where} took longer than the stop`);
        return;
      }
      metrics.faults.inc({ where });
      // `outage` has logged it, and every worker meets it every second.
      if (error instanceof DatabaseUnavailable) return;
      log.error({ event: "fault", ...subjectIds(), where, err: error }, `fault in ${where}`);
    },

    backedUp({ path, bytes, removed }: { path: string; bytes: number; removed: number }): void {
      log.info({ event: "backed_up", path, bytes, removed }, "database backed up");
    },

    /** The next attempt comes soon. */
    backupFailed(error: unknown): void {
      metrics.backupFailures.inc();
      log.error({ event: "backup_failed", err: error }, "no backup was made");
    },

    /** The database's clock is used by all instances. */
    clockSkewed({ aheadMs, isOver }: { aheadMs: number; isOver: boolean }): void {
      const line = { event: "clock_skewed", ahead_ms: Math.round(aheadMs) };
      if (isOver) log.info(line, "the clock agrees with the database's again");
      else log.warn(line, "the clock differs from the database's: set it by NTP");
    },

    /** Other instances take over its work. */
    instanceLost({ instance }: { instance: string }): void {
      log.warn({ event: "instance_lost", instance }, "an instance is gone: its work is due again");
    },

    /** Null: the collector works again. */
    tracesExport(error: Error | null): void {
      if (error === null) log.info({ event: "traces_exported" }, "traces are exported again");
      else log.warn({ event: "traces_not_exported", why: error.message }, "traces cannot be exported");
    },
  };
}
