// Lyceum's words for the status of an execution, and their meaning.

const statusOf = {
  pending: "pending",
  queued: "pending",
  starting: "starting",
  "waiting for docker container": "starting",
  running: "running",
  completed: "completed",
  success: "completed",
  failed: "failed",
  "failed user": "failed",
  error: "failed",
  timeout: "failed",
  "time out": "failed",
  "system failure": "system_failure",
  "failed system": "system_failure",
  cancelled: "cancelled",
  canceled: "cancelled",
  aborted: "aborted",
} as const;

export type LyceumStatus = (typeof statusOf)[keyof typeof statusOf];

export interface ParsedStatus {
  /** Null: still alive, status unchanged (an unknown word, `paused`, `cancelling`). */
  status: LyceumStatus | null;
  raw: string;
  timedOut: boolean;
}

/** Null: still alive, unchanged. Understands the older words of the vendor's CLI and dashboard. */
export function parseStatus(word: string): ParsedStatus {
  const plain = word
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, " ");
  const status = Object.hasOwn(statusOf, plain) ? statusOf[plain as keyof typeof statusOf] : null;
  return { status, raw: word, timedOut: plain === "timeout" || plain === "time out" };
}
