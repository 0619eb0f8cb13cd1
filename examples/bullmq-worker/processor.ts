// The processor of a BullMQ worker that lets Proctor do the work: submit, wait, hand back the results. See README.md.
import { UnrecoverableError } from "bullmq";
import { type Client, type Job, type JobRequest, ProctorError, type ResultRow } from "proctor/client";

/** The part of a BullMQ job that the processor uses. */
export interface QueueJob {
  id?: string | undefined;
  queueName: string;
  /** When it was added (epoch ms). */
  timestamp: number;
  data: JobRequest;
  updateProgress(progress: number): Promise<void>;
}

/** The reason to abort with when the lock of a job is lost. */
export const LOCK_LOST = "lock lost";

/** The same for everyone who processes this job, also after a crash or a stall; ids alone begin anew with an emptied Redis. */
export function idempotencyKeyOf({ queueName, id, timestamp }: QueueJob): string {
  return `${queueName}:${id}:${timestamp}`;
}

/** Hands the job in. @throws UnrecoverableError when Proctor refuses it: the queue need not try again */
export async function submit(proctor: Client, job: QueueJob, request: JobRequest): Promise<Job> {
  try {
    return await proctor.submit(request, { idempotencyKey: idempotencyKeyOf(job) });
  } catch (error) {
    if (!(error instanceof ProctorError) || error.isTransient) throw error;
    throw new UnrecoverableError(error.message);
  }
}

export function createProcessor(proctor: Client) {
  return async (job: QueueJob, _token?: string, signal?: AbortSignal): Promise<ResultRow[]> => {
    const submitted = await submit(proctor, job, job.data);
    try {
      const ended = await proctor.wait(submitted.id, {
        signal,
        onUpdate: ({ progress }) => job.updateProgress(Math.round(progress * 100)),
      });
      if (ended.status !== "succeeded") throw new UnrecoverableError(`${ended.id} ${ended.status}`);
      const rows: ResultRow[] = [];
      for await (const row of proctor.results(ended.id)) rows.push(row);
      return rows;
    } catch (error) {
      if (signal?.aborted !== true) throw error;
      // Another worker takes the job over and, by the key, this very run: it must not find it cancelled.
      if (signal.reason === LOCK_LOST) throw error;
      await proctor.cancel(submitted.id);
      throw new UnrecoverableError(`${submitted.id} is cancelled: ${signal.reason}`);
    }
  };
}
