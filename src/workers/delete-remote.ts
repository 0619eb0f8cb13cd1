// Deletes a job's records at Lyceum, then the job. Each deleted record is marked; the others are tried again.
import type { RecordSummary } from "../domain/gpu-selection.ts";
import type { LyceumClient } from "../lyceum/client.ts";
import type { Context } from "../orchestration/context.ts";
import { deleteJob } from "../orchestration/delete-job.ts";
import {
  markRecordsDeleted,
  nextRemoteDeletionAt,
  postponeRemoteDeletion,
  type RemoteDeletion,
  type RemoteRecord,
  recordsToDelete,
  remoteDeletionsDue,
} from "../store/remote-deletions.ts";
import type { Worker } from "./loop.ts";

export function createRemoteDeletion(
  context: Context,
  { lyceum, now }: { lyceum: LyceumClient; now: () => number },
): Worker {
  const { store, report } = context;

  async function tryDelete({ lyceumExecutionId, summary }: RemoteRecord): Promise<boolean> {
    const subJobs = summary === null ? [] : ((JSON.parse(summary) as RecordSummary).gpu_selection ?? []);
    for (const id of [...subJobs.map((subJob) => subJob.lyceum_execution_id), lyceumExecutionId]) {
      const answer = await lyceum.deleteRecord(id);
      if (answer.type !== "ok" && answer.type !== "missing") return false;
    }
    return true;
  }

  async function deleteRecords({ id, deletion_requested_at }: RemoteDeletion): Promise<void> {
    const records = await recordsToDelete(store.db, id, RECORDS_AT_ONCE);
    const deleted = await Promise.all(records.map(tryDelete));
    const left = records.filter((_, index) => !deleted[index]);
    const waitedMs = now() - (deletion_requested_at ?? now());
    const isGivenUp = left.length > 0 && waitedMs >= PATIENCE_MS;
    if (isGivenUp)
      report.recordsLeft({ jobId: id, lyceumExecutionIds: left.map((record) => record.lyceumExecutionId) });
    await store.write(async (tx) => {
      const gone = isGivenUp ? records : records.filter((_, index) => deleted[index]);
      await markRecordsDeleted(
        tx.db,
        gone.map((record) => record.executionId),
        tx.now,
      );
      if (gone.length < records.length) await postponeRemoteDeletion(tx.db, id, tx.now + pauseMs(waitedMs));
      else if (records.length === RECORDS_AT_ONCE) await postponeRemoteDeletion(tx.db, id, tx.now);
      else if (!(await deleteJob(tx, id, { remembersKey: true })))
        await postponeRemoteDeletion(tx.db, id, tx.now + pauseMs(waitedMs));
    });
  }

  return {
    name: "delete-remote",
    async runOnce() {
      for (const deletion of await remoteDeletionsDue(store.db, now(), JOBS_AT_ONCE))
        await deleteRecords(deletion);
      return nextRemoteDeletionAt(store.db);
    },
    idle: async () => {},
  };
}

const JOBS_AT_ONCE = 5;
const RECORDS_AT_ONCE = 20;
/** After this the job is deleted all the same, and the log names the records that are left at Lyceum. */
const PATIENCE_MS = 7 * 86_400_000;

function pauseMs(waitedMs: number): number {
  return Math.round(Math.min(Math.max(waitedMs / 2, 5_000), 3_600_000));
}
