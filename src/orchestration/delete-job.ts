// Deleting a job with its records at Lyceum: here it is only intended; a worker carries it out.
import { markToErase } from "../store/remote-deletions.ts";
import type { Context } from "./context.ts";

/** False while runs of the job have not ended. Idempotent. */
export async function eraseJob(context: Context, jobId: string): Promise<boolean> {
  return context.store.write(async (tx) => {
    const isMarked = await markToErase(tx.db, jobId, tx.now);
    if (isMarked) tx.wake("erase", tx.now);
    return isMarked;
  });
}
