// An execution in the emulator. Times are milliseconds since the epoch.
import type { RunChanges } from "./switches.ts";

export type Kind = "python" | "image" | "compose" | "gpu_selection";

/** An accepted start request, reduced to the fields that the emulator uses. */
export interface Start {
  kind: Kind;
  /** The request body as received, including secrets. */
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

/** An attempt to deliver a callback. */
export interface CallbackAttempt {
  at: number;
  url: string;
  attempt: number;
  /** Body profile, see `bodyProfiles`. */
  profile: string;
  /** Undefined without an answer. */
  status?: number;
  /** Reason why there was no answer, or why nothing was sent. */
  problem?: string;
}

export interface Execution {
  id: string;
  /** Counts from 1; random decisions are keyed by it. */
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
  /** Approximate memory in characters: body and output. */
  size: number;
  installLog: string | null;
  callbacks: CallbackAttempt[];
  /** True if a callback was sent before the answer to the start. */
  calledEagerly: boolean;
  /** Kills the process or cuts the pause short, if there is one. */
  kill?: () => void;
  /** True after deletion or reset: all waits for the execution must end. */
  dropped: boolean;
}

/** True once the work has ended, which is before the shown state is terminal. */
export function isOver(execution: Execution): boolean {
  return execution.endedAt !== undefined || execution.dropped;
}

export function text(execution: Execution, stream?: Chunk["stream"]): string {
  let all = "";
  for (const chunk of execution.output)
    if (stream === undefined || chunk.stream === stream) all += chunk.text;
  return all;
}
