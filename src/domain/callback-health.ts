// Judges by the last ends if callbacks are reliable. An end that polling saw first counts as missed after the grace.

export type CallbackMode = "healthy" | "unproven" | "absent";

export interface CallbackHealth {
  ended(executionId: string, by: "callback" | "poll", delayMs: number | null, now: number): void;
  /** A callback came after the end was detected. */
  cameLate(executionId: string): void;
  /** `unproven` also after missed callbacks: polling then does not wait for them. */
  mode(now: number): CallbackMode;
  snapshot(now: number): { mode: CallbackMode; judged: number; missed: number; delayMs: DelaySummary };
}

export interface DelaySummary {
  callback: Percentiles | null;
  poll: Percentiles | null;
}
/** Milliseconds from the end at Lyceum to its detection, over the last ends. */
export interface Percentiles {
  p50: number;
  p95: number;
  samples: number;
}

const JUDGED = 20;
const ENOUGH = 2;
const MAX_MISSED_SHARE = 0.1;
const DELAYS_KEPT = 200;

export function createCallbackHealth({
  asked,
  graceMs,
}: {
  asked: boolean;
  graceMs: number;
}): CallbackHealth {
  /** True: the callback came. */
  let verdicts: boolean[] = [];
  const awaited = new Map<string, number>();
  const delays: Record<"callback" | "poll", number[]> = { callback: [], poll: [] };

  const judge = (came: boolean) => {
    verdicts = [...verdicts, came].slice(-JUDGED);
  };

  function judgeOverdue(now: number): void {
    for (const [executionId, since] of awaited) {
      // Ordered by arrival: the first execution that is not overdue ends the search.
      if (now - since <= graceMs) return;
      awaited.delete(executionId);
      judge(false);
    }
  }

  function mode(now: number): CallbackMode {
    if (!asked) return "absent";
    judgeOverdue(now);
    return verdicts.length >= ENOUGH && missed() <= verdicts.length * MAX_MISSED_SHARE
      ? "healthy"
      : "unproven";
  }

  function missed(): number {
    return verdicts.filter((came) => !came).length;
  }

  return {
    ended(executionId, by, delayMs, now) {
      if (delayMs !== null) delays[by] = [...delays[by], Math.max(0, delayMs)].slice(-DELAYS_KEPT);
      if (by === "callback") judge(true);
      else awaited.set(executionId, now);
    },
    cameLate(executionId) {
      if (awaited.delete(executionId)) judge(true);
    },
    mode,
    snapshot(now) {
      const delayMs = { callback: percentiles(delays.callback), poll: percentiles(delays.poll) };
      // Evaluate the mode first: it judges overdue callbacks.
      return { mode: mode(now), judged: verdicts.length, missed: missed(), delayMs };
    },
  };
}

function percentiles(values: number[]): Percentiles | null {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p95: at(0.95), samples: sorted.length };
}
