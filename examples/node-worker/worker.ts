// A worker in plain Node: takes tasks from any queue, runs each as a Proctor job, and waits for the end.
import { createClient, type JobRequest } from "@proctor/client";

/** `id` is the queue's own: a task that is delivered twice becomes one job. */
export type Task = { id: string; job: JobRequest };

const proctor = createClient(); // PROCTOR_URL and PROCTOR_API_KEY

export async function work(task: Task, signal?: AbortSignal): Promise<string> {
  const job = await proctor.submit(task.job, { idempotencyKey: `tasks:${task.id}`, signal });
  const ended = await proctor.wait(job.id, { signal });
  if (ended.status !== "succeeded") throw new Error(`${ended.id} ${ended.status}`);
  return ended.id;
}
