// Requests the deletion of a job with its records at Lyceum. A worker carries it out.
import { markForRemoteDeletion } from "../store/remote-deletions.ts";
import type { Context } from "./context.ts";

/** Returns false while runs of the job have not ended. Idempotent. */
export async function requestRemoteDeletion(context: Context, jobId: string): Promise<boolean> {
  return context.store.write(async (tx) => {
    const isMarked = await markForRemoteDeletion(tx.db, jobId, tx.now);
    if (isMarked) tx.wake("delete-remote", tx.now);
    return isMarked;
  });
}
