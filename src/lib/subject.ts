// The execution that the present work is for. Log lines and spans of calls made meanwhile name it, without passing it
// through every function.
import { AsyncLocalStorage } from "node:async_hooks";

export interface Subject {
  jobId: string;
  runId: string;
  /** Our id of the execution. */
  executionId: string;
}

const storage = new AsyncLocalStorage<Subject>();

/** Runs `work` for this execution, what it awaits included. */
export function forExecution<T>(execution: { id: string; runId: string; jobId: string }, work: () => T): T {
  const { id: executionId, runId, jobId } = execution;
  return storage.run({ jobId, runId, executionId }, work);
}

/** Null for work that several executions share. */
export function currentSubject(): Subject | null {
  return storage.getStore() ?? null;
}

/**
 * Returns a function that runs its argument for today's subject, whenever it is called. Queues and timers need it:
 * otherwise their work runs for whichever execution happened to start it.
 */
export function keepSubject(): <T>(work: () => T) => T {
  return AsyncLocalStorage.snapshot();
}
