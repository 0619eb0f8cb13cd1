// A job's progress as text: a bar with status and times, and one line per run or counts.
import type { Job, Run } from "../client/client.ts";

const BAR = 24;
/** Jobs with more runs show only counts. */
export const MAX_RUN_LINES = 15;

export function barLine(job: Job, now: number): string {
  const { status, progress, queue } = job;
  const full = Math.round(progress * BAR);
  const percent = `${Math.round(progress * 100)} %`.padStart(5);
  const remainingMs = etaMs(job, now);
  const position = queue == null ? [] : [`position ${queue.position} in the queue`];
  const times = [
    duration(elapsedMs(job, now)),
    ...(remainingMs === null ? [] : [`about ${duration(remainingMs)} left`]),
    ...position,
  ];
  return `[${"█".repeat(full)}${"·".repeat(BAR - full)}] ${percent}  ${status}  ${times.join(", ")}`;
}

/** Without zero counts. */
export function countsLine({ counts }: Job): string {
  const nonZero = Object.entries(counts).filter(([, count]) => count > 0);
  return `  ${nonZero.map(([status, count]) => `${count} ${status}`).join(", ")}`;
}

export function runLine(run: Run): string {
  const { kind, return_code, duration_ms, detected_by, error } = run;
  const facts = [
    return_code === null ? null : `exit ${return_code}`,
    duration_ms === null ? null : `${(duration_ms / 1_000).toFixed(2)} s`,
    detected_by === null ? null : `by ${detected_by}`,
    error === null ? null : `${error.code}: ${error.detail}`,
  ].filter((fact) => fact !== null);
  const mark = marks[run.outcome ?? run.status] ?? "…";
  return `  ${mark} ${labelOf(run).padEnd(12)} ${kind.padEnd(8)} ${stateOf(run).padEnd(22)} ${facts.join(", ")}`.trimEnd();
}

/** Matrix values come first, because all runs of a sweep may share a name. */
export function labelOf({ name, id, matrix }: Pick<Run, "name" | "id" | "matrix">): string {
  const values = Object.entries(matrix ?? {}).map(([key, value]) => `${key}=${value}`);
  return [...values, ...(name === null && values.length > 0 ? [] : [name ?? id.slice(-6)])].join(" ");
}

const marks: Record<string, string> = { succeeded: "✔", failed: "✘", cancelled: "■" };

export function stateOf(run: Run): string {
  const execution = run.executions.at(-1);
  if (run.status === "active" && execution !== undefined) return `active (${execution.status})`;
  return run.status === "collecting" && run.outcome != null ? `collecting (${run.outcome})` : run.status;
}

export function duration(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const [hours, minutes, rest] = [seconds / 3_600, (seconds % 3_600) / 60, seconds % 60].map(Math.floor);
  if (seconds < 60) return `${rest} s`;
  return seconds < 3_600 ? `${minutes} min ${rest} s` : `${hours} h ${minutes} min`;
}

/** Uses this machine's clock, which may differ from the service's. */
function elapsedMs({ created_at, ended_at }: Job, now: number): number {
  return created_at === null ? 0 : (ended_at === null ? now : Date.parse(ended_at)) - Date.parse(created_at);
}

/** Assumes that remaining runs take as long as ended runs; null before the first end. */
function etaMs({ progress, started_at, ended_at }: Job, now: number): number | null {
  if (started_at === null || ended_at !== null || progress <= 0 || progress >= 1) return null;
  return Math.max(0, ((now - Date.parse(started_at)) * (1 - progress)) / progress);
}
