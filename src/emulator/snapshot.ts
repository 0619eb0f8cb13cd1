// An execution as shown to tests and by `GET /__emulator/state`.
import type { CallbackAttempt, Execution, Kind } from "./execution.ts";

export interface ExecutionSnapshot {
  executionId: string;
  kind: Kind;
  /** The actual state, not changed by `words`. */
  status: string;
  /** Ended, and shown as ended. */
  isTerminal: boolean;
  fileName: string | null;
  hardwareProfile: string;
  parentId: string | null;
  /** The request body as received, including secrets. */
  body: Record<string, unknown>;
  acceptedAt: number;
  endedAt: number | null;
  finishedAt: number | null;
  returnCode: number | null;
  callbacks: CallbackAttempt[];
}

export function snapshotOf(execution: Execution): ExecutionSnapshot {
  return {
    executionId: execution.id,
    kind: execution.start.kind,
    status: execution.word,
    isTerminal: execution.finishedAt !== undefined,
    fileName: execution.start.fileName,
    hardwareProfile: execution.hardwareProfile,
    parentId: execution.parentId,
    body: execution.start.body,
    acceptedAt: execution.acceptedAt,
    endedAt: execution.endedAt ?? null,
    finishedAt: execution.finishedAt ?? null,
    returnCode: execution.result?.returnCode ?? null,
    callbacks: [...execution.callbacks],
  };
}
