// Deletes jobs, or requests their deletion together with the records at Lyceum. Workers carry both out.
import type { Tx } from "../store/db/transaction.ts";
import { markDeleted } from "../store/deletions.ts";
import { markForRemoteDeletion } from "../store/remote-deletions.ts";
import type { Context } from "./context.ts";

/**
 * Hides the job at once; its rows are removed later. Returns false while it is not finished, or for a job that is gone.
 * @param remembersKey a later submission with its idempotency key is refused; otherwise the key is free again
 */
export async function deleteJob(
  tx: Tx,
  jobId: string,
  { remembersKey }: { remembersKey: boolean },
): Promise<boolean> {
  const isMarked = await markDeleted(tx.db, jobId, tx.now, { remembersKey });
  if (isMarked) tx.wake("delete-jobs", tx.now);
  return isMarked;
}

/** Returns false while runs of the job have not ended. Idempotent. */
export async function requestRemoteDeletion(context: Context, jobId: string): Promise<boolean> {
  return context.store.write(async (tx) => {
    const isMarked = await markForRemoteDeletion(tx.db, jobId, tx.now);
    if (isMarked) tx.wake("delete-remote", tx.now);
    return isMarked;
  });
}
