// The processor of a BullMQ worker that lets Proctor do the work: submit, wait, hand back the results. See README.md.
import type { Client, JobRequest, ResultRow } from "proctor/client";

/** What the processor uses of a BullMQ job. */
export interface QueueJob {
  id?: string | undefined;
  queueName: string;
  data: JobRequest;
  updateProgress(progress: number): Promise<void>;
}

/** The reason to abort with when the lock of a job is lost. */
export const LOCK_LOST = "lock lost";

/** BullMQ does not repeat a job that throws an error of this name: Proctor has repeated what was worth repeating. */
class UnrecoverableError extends Error {
  override readonly name = "UnrecoverableError";
}

export function createProcessor(proctor: Client) {
  return async (job: QueueJob, _token?: string, signal?: AbortSignal): Promise<ResultRow[]> => {
    // The queue's own id as the key: whoever processes this job again, after a crash or a stall, gets the same job.
    const submitted = await proctor.submit(job.data, { idempotencyKey: `${job.queueName}:${job.id}` });
    try {
      const ended = await proctor.wait(submitted.id, {
        signal,
        onUpdate: ({ progress }) => job.updateProgress(Math.round(progress * 100)),
      });
      if (ended.status !== "succeeded") throw new UnrecoverableError(`${ended.id} ${ended.status}`);
      return await Array.fromAsync(proctor.results(ended.id));
    } catch (error) {
      if (signal?.aborted !== true) throw error;
      // Another worker takes the job over and, by the key, this very run: it must not find it cancelled.
      if (signal.reason === LOCK_LOST) throw error;
      await proctor.cancel(submitted.id);
      throw new UnrecoverableError(`${submitted.id} is cancelled: ${signal.reason}`);
    }
  };
}
