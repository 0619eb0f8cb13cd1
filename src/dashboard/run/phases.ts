// Splits the life of an execution, from the job's submission to the last artifact, into spans on one time axis.
import type { Execution, Run } from "../../client/client.ts";

export type PhaseName = "queued" | "submitting" | "pending" | "running" | "noticing" | "collecting";

export interface Span {
  phase: PhaseName;
  attempt: number;
  from: number;
  to: number;
  isOpen: boolean;
}

export const phaseTexts: Record<PhaseName, string> = {
  queued: "waits for its start",
  submitting: "start request under way",
  pending: "accepted, waits for a machine",
  running: "runs",
  noticing: "ended, not yet known here",
  collecting: "artifacts are fetched",
};

/** @param now epoch milliseconds, where a span has no end yet */
export function spansOf(run: Run, now: number): Span[] {
  const spans: Span[] = [];
  let waitsFrom = time(run.created_at);
  for (const execution of run.executions.toSorted((a, b) => a.attempt - b.attempt)) {
    add(spans, "queued", execution.attempt, waitsFrom, time(execution.submitted_at), now);
    addExecution(spans, execution, now);
    waitsFrom = time(execution.detected_at) ?? time(execution.ended_at);
  }
  const last = run.executions.at(-1);
  if (run.status === "queued") add(spans, "queued", run.attempts + 1, waitsFrom, null, now);
  else if (last !== undefined && run.outcome !== null && last.detected_at !== null)
    add(spans, "collecting", last.attempt, time(last.detected_at), time(run.ended_at), now);
  return spans;
}

function addExecution(spans: Span[], execution: Execution, now: number): void {
  const { attempt } = execution;
  const [submitted, accepted, started, ended, detected] = [
    execution.submitted_at,
    execution.accepted_at,
    execution.started_at,
    execution.ended_at,
    execution.detected_at,
  ].map(time);
  const isOver = detected != null || execution.next_check_at === null;
  const until = (at: number | null | undefined) => at ?? (isOver ? (detected ?? null) : null);
  if (accepted == null) {
    if (!isOver || detected != null) add(spans, "submitting", attempt, submitted, detected ?? null, now);
    return;
  }
  add(spans, "submitting", attempt, submitted, accepted, now);
  add(spans, "pending", attempt, accepted, started ?? until(ended), now);
  if (started != null) add(spans, "running", attempt, Math.max(started, accepted), until(ended), now);
  if (ended != null && detected != null) add(spans, "noticing", attempt, ended, detected, now);
}

function add(
  spans: Span[],
  phase: PhaseName,
  attempt: number,
  from: number | null | undefined,
  to: number | null | undefined,
  now: number,
): void {
  if (from == null) return;
  // Lyceum's clock and ours differ: a span that would end before it begins is not drawn.
  const end = to ?? Math.max(now, from);
  if (end >= from && (end > from || to == null))
    spans.push({ phase, attempt, from, to: end, isOpen: to == null });
}

function time(text: string | null | undefined): number | null {
  return text == null ? null : Date.parse(text);
}
