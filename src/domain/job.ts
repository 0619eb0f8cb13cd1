// A job: runs that belong together. Its status follows from theirs.
import type { RunStatus } from "./run.ts";

export const jobStatuses = ["queued", "active", "succeeded", "failed", "cancelled"] as const;
export type JobStatus = (typeof jobStatuses)[number];

export type Counts = Record<RunStatus, number>;

/** Failed if any run failed, else cancelled if any was. Not for a terminal job: its status never changes. */
export function jobStatus(counts: Counts, before: JobStatus): JobStatus {
  const waiting = counts.queued;
  const underway = counts.active + counts.collecting;
  const ended = counts.succeeded + counts.failed + counts.cancelled;
  // A job that was active stays active, even if its only start was throttled and waits again.
  if (waiting + underway > 0) return underway + ended > 0 || before !== "queued" ? "active" : "queued";
  if (counts.failed > 0) return "failed";
  return counts.cancelled > 0 ? "cancelled" : "succeeded";
}

export function isUndecided({ queued, active }: Pick<Counts, "queued" | "active">): boolean {
  return queued + active > 0;
}

export function progress(counts: Counts): number {
  const ended = counts.succeeded + counts.failed + counts.cancelled;
  const all = ended + counts.queued + counts.active + counts.collecting;
  return all === 0 ? 1 : ended / all;
}
