// A job: one or more runs that belong together. Its status follows from the statuses of its runs.
import type { RunStatus } from "./run.ts";

export const jobStatuses = ["queued", "active", "succeeded", "failed", "cancelled"] as const;
export type JobStatus = (typeof jobStatuses)[number];

/** Runs by status, updated with every change and never recounted. */
export type Counts = Record<RunStatus, number>;

/**
 * The status that follows from the runs: failed if any failed, else cancelled if any was, else succeeded.
 * Not used for a terminal job: its status never changes, even if a run is retried by hand afterwards.
 */
export function jobStatus(counts: Counts, before: JobStatus): JobStatus {
  const waiting = counts.queued;
  const underway = counts.active + counts.collecting;
  const ended = counts.succeeded + counts.failed + counts.cancelled;
  // A job that was active stays active, even if its only start was throttled and waits again.
  if (waiting + underway > 0) return underway + ended > 0 || before !== "queued" ? "active" : "queued";
  if (counts.failed > 0) return "failed";
  return counts.cancelled > 0 ? "cancelled" : "succeeded";
}

/** Some run of the job has no outcome yet. */
export function isUndecided({ queued, active }: Pick<Counts, "queued" | "active">): boolean {
  return queued + active > 0;
}

/** Share of the runs that have ended, 0 to 1. */
export function progress(counts: Counts): number {
  const ended = counts.succeeded + counts.failed + counts.cancelled;
  const all = ended + counts.queued + counts.active + counts.collecting;
  return all === 0 ? 1 : ended / all;
}
