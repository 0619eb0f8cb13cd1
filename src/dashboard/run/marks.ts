// Moments in the life of an execution: Lyceum's end, callbacks, and the checks that found something new.
import type { Callback, ProctorEvent, Run } from "../../client/client.ts";

export type MarkType = "end" | "callback" | "check" | "next_check";

export interface Mark {
  id: string;
  type: MarkType;
  attempt: number;
  /** Epoch milliseconds. */
  at: number;
  text: string;
  callback?: Callback;
  event?: ProctorEvent;
}

/** Written when the start was sent or answered; every other event of an execution is the finding of a check. */
const OF_THE_START = new Set(["execution.submitting", "execution.accepted", "execution.rejected"]);

/** In order of time. A check that found nothing new leaves no event, and so no mark. */
export function marksOf(run: Run, callbacks: Callback[], events: ProctorEvent[]): Mark[] {
  const attemptOf = new Map(run.executions.map(({ id, attempt }) => [id, attempt]));
  const marks = run.executions.flatMap(({ id, attempt, ended_at, next_check_at }): Mark[] => [
    ...moment(ended_at, { id: `end ${id}`, type: "end", attempt, text: "ended at Lyceum" }),
    ...moment(next_check_at, { id: `next ${id}`, type: "next_check", attempt, text: "next check" }),
  ]);
  for (const callback of callbacks) {
    const attempt = attemptOf.get(callback.execution_id);
    const text = `callback (${callback.disposition})`;
    if (attempt !== undefined)
      marks.push(
        ...moment(callback.received_at, { id: callback.id, type: "callback", attempt, text, callback }),
      );
  }
  for (const event of events) {
    const attempt = attemptOf.get(event.execution_id ?? "");
    if (attempt === undefined || !event.type.startsWith("execution.") || OF_THE_START.has(event.type))
      continue;
    const text = `check: ${event.type.replace("execution.", "").replaceAll("_", " ")}`;
    marks.push(...moment(event.created_at, { id: event.id, type: "check", attempt, text, event }));
  }
  return marks.toSorted((a, b) => a.at - b.at);
}

function moment(at: string | null, mark: Omit<Mark, "at">): Mark[] {
  return at === null ? [] : [{ ...mark, at: Date.parse(at) }];
}
