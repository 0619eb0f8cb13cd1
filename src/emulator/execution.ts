// What the emulator knows of one execution. Times are milliseconds since the epoch.
import type { RunChanges } from "./switches.ts";

export type Kind = "python" | "image" | "compose" | "gpu_selection";

/** An accepted start request, reduced to what the emulator acts on. */
export interface Start {
  kind: Kind;
  /** The request body as it was received, secrets included. */
  body: Record<string, unknown>;
  /** Python source, image reference or Compose text. */
  subject: string;
  hardwareProfile: string;
  timeoutMs: number;
  fileName: string | null;
  callbackUrls: string[];
  files: Record<string, string>;
  priorImports: string[];
  requirements: string | null;
  /** Set by a directive. */
  changes: RunChanges | undefined;
}

export interface Chunk {
  at: number;
  stream: "stdout" | "stderr";
  text: string;
}

export interface Result {
  word: string;
  returnCode: number | null;
  errors: string | null;
}

/** One attempt to deliver a callback. */
export interface CallbackAttempt {
  at: number;
  url: string;
  attempt: number;
  /** Body profile, see `bodyProfiles`. */
  profile: string;
  /** Absent when there was no answer. */
  status?: number;
  /** Why there was no answer, or why nothing was sent. */
  problem?: string;
}

export interface Execution {
  id: string;
  /** Counts from 1; what draws are keyed by. */
  number: number;
  start: Start;
  hardwareProfile: string;
  parentId: string | null;
  children: Execution[];
  /** Terminal only from `finishedAt` on. */
  word: string;
  acceptedAt: number;
  startingAt?: number;
  startedAt?: number;
  endedAt?: number;
  finishedAt?: number;
  /** Set at `endedAt`, shown from `finishedAt` on. */
  result?: Result;
  output: Chunk[];
  /** Approximate memory: body and output, in characters. */
  size: number;
  installLog: string | null;
  callbacks: CallbackAttempt[];
  /** A callback went out before the start was answered. */
  calledEagerly: boolean;
  /** Kills the real process or cuts a pause short, while there is one. */
  kill?: () => void;
  /** Deleted or swept away by a reset: whatever still waits for it must give up. */
  dropped: boolean;
}

/** True once the work itself is over, which is before the state shown is terminal. */
export function isOver(execution: Execution): boolean {
  return execution.endedAt !== undefined || execution.dropped;
}

export function text(execution: Execution, stream?: Chunk["stream"]): string {
  let all = "";
  for (const chunk of execution.output)
    if (stream === undefined || chunk.stream === stream) all += chunk.text;
  return all;
}
