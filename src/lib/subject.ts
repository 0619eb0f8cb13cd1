// The execution that the present work is for: log lines and spans name it without passing it through every function.
import { AsyncLocalStorage } from "node:async_hooks";

export interface Subject {
  jobId: string;
  runId: string;
  executionId: string;
}

const storage = new AsyncLocalStorage<Subject>();

export function forExecution<T>(execution: { id: string; runId: string; jobId: string }, work: () => T): T {
  const { id: executionId, runId, jobId } = execution;
  return storage.run({ jobId, runId, executionId }, work);
}

export function currentSubject(): Subject | null {
  return storage.getStore() ?? null;
}

/** Queues and timers need it: otherwise their work runs for whichever execution happened to start it. */
export function keepSubject(): <T>(work: () => T) => T {
  return AsyncLocalStorage.snapshot();
}
