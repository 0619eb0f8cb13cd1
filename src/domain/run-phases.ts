// The phases of a run's life as stretches between known moments. For the log and the traces.
import type { Execution } from "./execution.ts";

export const runPhases = ["queued", "submitting", "pending", "running", "noticing", "collecting"] as const;
export type RunPhase = (typeof runPhases)[number];

/** Epoch milliseconds. */
export interface Stretch {
  from: number;
  to: number;
}

/**
 * `queued` lasts to the start of the last execution, earlier attempts included; `noticing` from the end at Lyceum to
 * its detection. Lyceum's clock may differ: a stretch is never negative.
 */
export function phasesOf(
  run: { createdAt: number; endedAt: number | null },
  execution: Execution | null,
): Record<RunPhase, Stretch | null> {
  const { submittedAt = null, acceptedAt = null, startedAt = null } = execution ?? {};
  const { endedAt = null, detectedAt = null } = execution ?? {};
  return {
    queued: stretch(run.createdAt, submittedAt ?? run.endedAt),
    submitting: stretch(submittedAt, acceptedAt),
    pending: stretch(acceptedAt, startedAt),
    running: stretch(startedAt, endedAt),
    noticing: stretch(endedAt, detectedAt),
    collecting: stretch(detectedAt, run.endedAt),
  };
}

function stretch(from: number | null, to: number | null): Stretch | null {
  return from === null || to === null ? null : { from, to: Math.max(from, to) };
}
