// An execution in the emulator. Times are milliseconds since the epoch.
import type { RunChanges } from "./switches.ts";

export type Kind = "python" | "image" | "compose" | "gpu_selection";

export interface Start {
  kind: Kind;
  /** The request body as received, including secrets. */
  body: Record<string, unknown>;
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
  profile: string;
  status?: number;
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
  /** Characters of body and output. */
  size: number;
  installLog: string | null;
  callbacks: CallbackAttempt[];
  /** Before the answer to the start. */
  calledEagerly: boolean;
  kill?: () => void;
  /** After deletion or reset all waits must end. */
  dropped: boolean;
}

/** The work has ended, which is before the shown state is terminal. */
export function isOver(execution: Execution): boolean {
  return execution.endedAt !== undefined || execution.dropped;
}

export function text(execution: Execution, stream?: Chunk["stream"]): string {
  let all = "";
  for (const chunk of execution.output)
    if (stream === undefined || chunk.stream === stream) all += chunk.text;
  return all;
}
