// Starts that were sent before the database was restored. Their attempt takes them over instead of sending another one.

export interface FoundStart {
  executionId: string;
  runId: string;
  attempt: number;
  lyceumExecutionId: string;
  rawStatus: string;
}

export interface FoundStarts {
  add(start: FoundStart): void;
  ofAttempt(runId: string, attempt: number): FoundStart | null;
  ofExecution(executionId: string): FoundStart | null;
}

export function createFoundStarts(): FoundStarts {
  const byAttempt = new Map<string, FoundStart>();
  const byExecution = new Map<string, FoundStart>();
  return {
    add(start) {
      byAttempt.set(`${start.runId} ${start.attempt}`, start);
      byExecution.set(start.executionId, start);
    },
    ofAttempt: (runId, attempt) => byAttempt.get(`${runId} ${attempt}`) ?? null,
    ofExecution: (executionId) => byExecution.get(executionId) ?? null,
  };
}
