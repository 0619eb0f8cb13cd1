// The gate for starts. The first start that is not answered properly closes it; then one probe at a time, at growing
// distance, finds out whether Lyceum takes starts again. An outage therefore costs the starts that were under way when it
// began and its few probes, however long it lasts and however many runs wait.

import { type PauseReason, pauseDetail, type StartPause } from "../domain/start-pause.ts";
import type { Clock } from "../lib/clock.ts";
import type { StartOutcome } from "../lyceum/outcome.ts";

export type Permit =
  | { type: "all" }
  /** One start alone. */
  | { type: "one" }
  /** A read, before a start is risked. */
  | { type: "read" }
  /** Nothing for this long; null: until the probe under way has ended. */
  | { type: "none"; waitMs: number | null };

export type Ticket = number;

interface Closed extends Omit<StartPause, "probeAt"> {
  /** Monotonic, as is `answeredAt`. */
  probeAt: number;
  probe: "read" | "start" | null;
  /** When a read was answered after the last failure. */
  answeredAt: number;
}

export type StartGate = ReturnType<typeof createStartGate>;

/** @param random in [0, 1): spreads the probes. */
export function createStartGate(clock: Clock, random: () => number) {
  let closed: Closed | null = null;
  /** Counts openings and closings. A start that left in an earlier era says nothing about the present one. */
  let era = 0;
  const listeners = new Set<(pause: StartPause | null, before: StartPause | null) => void>();

  function permit(): Permit {
    if (closed === null) return { type: "all" };
    if (closed.probe !== null) return { type: "none", waitMs: null };
    const waitMs = probeInMs();
    if (waitMs > 0) return { type: "none", waitMs };
    // While credits are used up Lyceum answers reads as ever: only a start can tell.
    const needsNoRead = closed.reason === "unfunded";
    const isAnswered = needsNoRead || clock.monotonic() - closed.answeredAt < MAX_ANSWER_AGE_MS;
    return { type: isAnswered ? "one" : "read" };
  }

  /** A start leaves. Null if it may not, because the gate was closed after it was permitted. */
  function begin(): Ticket | null {
    const { type } = permit();
    if (type !== "all" && type !== "one") return null;
    if (closed !== null) closed.probe = "start";
    return era;
  }

  function ended(ticket: Ticket, outcome: StartOutcome): void {
    if (outcome.type === "stale") {
      forfeited(ticket);
      return;
    }
    const leastMs = outcome.type === "unavailable" ? (outcome.retryAfterMs ?? 0) : 0;
    const reason = reasonOf(outcome);
    if (ticket !== era) postpone(leastMs);
    else if (reason !== null) close(reason, "detail" in outcome ? outcome.detail : null, leastMs);
    else if (closed !== null) change(null);
  }

  /** A start failed by a fault of ours, which says nothing about Lyceum. */
  function forfeited(ticket: Ticket): void {
    if (ticket === era) probeFailed(0);
  }

  function beginRead(): void {
    if (closed !== null) closed.probe = "read";
  }

  /** @param leastMs how long Lyceum asked to be left alone, if it did. */
  function readEnded(isAnswered: boolean, leastMs = 0): void {
    if (closed?.probe !== "read") return;
    if (isAnswered) Object.assign(closed, { probe: null, answeredAt: clock.monotonic() });
    else probeFailed(leastMs);
  }

  function close(reason: PauseReason, said: string | null, leastMs: number): void {
    const failures = closed === null ? 0 : closed.failures + 1;
    const since = closed?.since ?? clock.now();
    change({ reason, detail: pauseDetail(reason, said), since, ...resting(failures, leastMs) });
  }

  function probeFailed(leastMs: number): void {
    if (closed !== null) change({ ...closed, ...resting(closed.failures + 1, leastMs) });
  }

  /** A start from before the closing was told to stay away for longer. */
  function postpone(leastMs: number): void {
    const probeAt = clock.monotonic() + Math.min(leastMs, MAX_BELIEVED_MS);
    if (closed !== null && probeAt > closed.probeAt && leastMs > 0) change({ ...closed, probeAt });
  }

  /** Until the next probe. */
  function resting(failures: number, leastMs: number) {
    const mostMs = Math.min(MAX_DISTANCE_MS, MIN_DISTANCE_MS * 2 ** Math.min(failures, 30));
    const distanceMs = Math.max(MIN_DISTANCE_MS, mostMs * (0.75 + random() / 4));
    const waitMs = Math.max(distanceMs, Math.min(leastMs, MAX_BELIEVED_MS));
    return { failures, probeAt: clock.monotonic() + waitMs, probe: null, answeredAt: NEVER };
  }

  function change(next: Closed | null): void {
    const before = state();
    if ((closed === null) !== (next === null)) era++;
    closed = next;
    const after = state();
    for (const listener of listeners) listener(after, before);
  }

  /** Once, before the first start: goes on with the pause of the former process. */
  function restore({ reason, detail, since, failures, probeAt }: StartPause): void {
    const waitMs = Math.min(Math.max(probeAt - clock.now(), 0), MAX_BELIEVED_MS);
    const rest = { ...resting(failures, 0), probeAt: clock.monotonic() + waitMs };
    change({ reason, detail, since, ...rest });
  }

  /** 0 when a probe is due, and while the gate is open. */
  function probeInMs(): number {
    return closed === null ? 0 : Math.max(0, Math.ceil(closed.probeAt - clock.monotonic()));
  }

  /** Null while the gate is open. */
  function state(): StartPause | null {
    if (closed === null) return null;
    const { reason, detail, since, failures } = closed;
    return { reason, detail, since, failures, probeAt: clock.now() + probeInMs() };
  }

  return {
    permit,
    begin,
    ended,
    forfeited,
    beginRead,
    readEnded,
    restore,
    probeInMs,
    state,
    /** Tells of every closing, every failed probe and every opening. */
    onChange: (listener: (pause: StartPause | null, before: StartPause | null) => void) =>
      void listeners.add(listener),
  };
}

/** Null for a proper answer: Lyceum took the start, or said itself that it did not like it or not yet. */
function reasonOf({ type }: StartOutcome): PauseReason | null {
  if (type === "stale") return null;
  return type === "accepted" || type === "refused" || type === "throttled" ? null : type;
}

const MIN_DISTANCE_MS = 1_000;
const MAX_DISTANCE_MS = 5 * 60_000;
/** The longest documented window of Lyceum's limits. */
const MAX_BELIEVED_MS = 60 * 60_000;
/** A start follows the read at once, unless there is nothing to start. */
const MAX_ANSWER_AGE_MS = 10_000;
const NEVER = Number.NEGATIVE_INFINITY;
