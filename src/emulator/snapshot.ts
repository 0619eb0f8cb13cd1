// What tests and `GET /__emulator/state` see of an execution.
import type { CallbackAttempt, Execution, Kind } from "./execution.ts";

/** A copy of an execution's state. Times are milliseconds since the epoch. */
export interface ExecutionSnapshot {
  executionId: string;
  kind: Kind;
  /** The true state, whatever `words` makes of it in answers. */
  status: string;
  /** Over and shown as over. */
  isTerminal: boolean;
  fileName: string | null;
  hardwareProfile: string;
  parentId: string | null;
  /** The request body as it was received, secrets included. */
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
