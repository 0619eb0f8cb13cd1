// The disposition of a callback: how it stands to what was known of its execution when it came.
import type { Execution } from "./execution.ts";

/** `early`: before the answer to the start; `late`: the first one, after the end; `duplicate`: it adds nothing. */
export type Disposition = "received" | "early" | "duplicate" | "late";

export interface Called
  extends Pick<Execution, "phase" | "acceptedAt" | "inDoubtAt" | "detectedAt" | "callbackAt" | "checkedAt"> {
  /** Callbacks filed so far. */
  stored: number;
}

export function dispositionOf(called: Called, receivedAt: number): Disposition {
  if (wasOver(called, receivedAt)) return called.stored === 0 ? "late" : "duplicate";
  if (isPending(called, receivedAt)) return "duplicate";
  return wasUnanswered(called, receivedAt) ? "early" : "received";
}

export function isOver({ phase }: Pick<Called, "phase">): boolean {
  return phase === "collecting" || phase === "closed";
}

/** A callback may be filed a moment after it came, and the end may have become known in between. */
function wasOver({ phase, detectedAt }: Called, at: number): boolean {
  return isOver({ phase }) && (detectedAt === null || detectedAt <= at);
}

function wasUnanswered({ phase, acceptedAt, inDoubtAt }: Called, at: number): boolean {
  const isBefore = acceptedAt === null ? phase === "submitting" : at < acceptedAt;
  return isBefore && (inDoubtAt === null || at < inDoubtAt);
}

/** The check of an earlier callback is still due, so another callback adds nothing. */
function isPending({ callbackAt, checkedAt }: Called, at: number): boolean {
  return callbackAt !== null && callbackAt <= at && (checkedAt === null || checkedAt < callbackAt);
}
