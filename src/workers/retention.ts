// Deletes jobs and deliveries past the retention, a few at a time, so that no transaction is long.
import type { Context } from "../orchestration/context.ts";
import { deleteJob } from "../orchestration/delete-job.ts";
import { jobsEndedBefore } from "../store/deletions.ts";
import { deleteDeliveries } from "../store/deliveries.ts";
import { deleteKeysBefore } from "../store/idempotency-keys.ts";
import { deleteHoursBefore, foldOldestHour } from "../store/stats.ts";
import type { Worker } from "./loop.ts";

export function createRetention(
  context: Context,
  options: {
    retentionMs: number;
    now: () => number;
    /** Null: jobs are not exported. */
    exportJobs: ((jobIds: string[]) => Promise<void>) | null;
  },
): Worker {
  const { retentionMs, now, exportJobs } = options;
  return {
    name: "retention",
    async runOnce() {
      const jobIds = await jobsEndedBefore(context.store.db, now() - retentionMs, JOBS_AT_ONCE);
      await exportJobs?.(jobIds);
      const deleted = await context.store.write(async (tx) => {
        for (const jobId of jobIds) await deleteJob(tx, jobId, { remembersKey: false });
        await deleteKeysBefore(tx.db, tx.now - retentionMs);
        const deliveries = await deleteDeliveries(tx.db, tx.now - retentionMs, DELIVERIES_AT_ONCE);
        return { jobs: jobIds.length, deliveries };
      });
      while (await context.store.write((tx) => foldOldestHour(tx.db, tx.now - MINUTES_KEPT_MS)));
      await context.store.write((tx) => deleteHoursBefore(tx.db, tx.now - retentionMs));
      const isMore = deleted.jobs === JOBS_AT_ONCE || deleted.deliveries === DELIVERIES_AT_ONCE;
      return now() + (isMore ? BETWEEN_ROUNDS_MS : PERIOD_MS);
    },
    idle: async () => {},
  };
}

/** A day of minutes, beside the present hour. */
const MINUTES_KEPT_MS = 24 * 3_600_000;
const JOBS_AT_ONCE = 20;
const DELIVERIES_AT_ONCE = 1_000;
const BETWEEN_ROUNDS_MS = 200;
const PERIOD_MS = 10 * 60_000;
