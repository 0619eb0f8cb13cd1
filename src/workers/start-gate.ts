// The gate for starts: the first start without a proper answer closes it, then single probes find out if Lyceum takes
// starts again. So an outage costs the starts that were under way and a few probes.

import { type PauseReason, pauseDetail, type StartPause } from "../domain/start-pause.ts";
import { exponentialMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { StartOutcome } from "../lyceum/outcome.ts";

/** Starts that the gate allows now. */
export type Permit =
  | { type: "all" }
  /** A start, as a probe. */
  | { type: "one" }
  /** A read, before a start is tried. */
  | { type: "read" }
  /** Null: until the probe under way has ended. */
  | { type: "none"; waitMs: number | null };

/** @param isOwn false: another instance's pause was heeded, or has ended */
type Listener = (pause: StartPause | null, before: StartPause | null, isOwn: boolean) => void;

/** A begun start, named by the era in which it began. */
export type Ticket = number;

interface Closed extends Omit<StartPause, "probeAt"> {
  /** No start of this instance has failed: another instance's has. */
  isForeign: boolean;
  probeAt: number;
  probe: "read" | "start" | null;
  answeredAt: number;
}

export type StartGate = ReturnType<typeof createStartGate>;

/** @param random in [0, 1) */
export function createStartGate(clock: Clock, random: () => number) {
  let closed: Closed | null = null;
  /** Counts openings and closings: a start of an earlier era says nothing about this one. */
  let era = 0;
  /** A probe was answered then (epoch ms): an outage that began earlier is over for this instance. */
  let openedAt = Number.NEGATIVE_INFINITY;
  const listeners = new Set<Listener>();

  function permit(): Permit {
    if (closed === null) return { type: "all" };
    if (closed.probe !== null) return { type: "none", waitMs: null };
    const waitMs = probeInMs();
    if (waitMs > 0) return { type: "none", waitMs };
    // While credits are used up Lyceum answers reads as usual: only a start can tell.
    const needsNoRead = closed.reason === "unfunded";
    const isAnswered = needsNoRead || clock.monotonic() - closed.answeredAt < MAX_ANSWER_AGE_MS;
    return { type: isAnswered ? "one" : "read" };
  }

  /** Null: the gate was closed since the permit. */
  function begin(): Ticket | null {
    const { type } = permit();
    if (type !== "all" && type !== "one") return null;
    if (closed !== null) closed.probe = "start";
    return era;
  }

  function ended(ticket: Ticket, outcome: StartOutcome): void {
    if (outcome.type === "stale") {
      faulted(ticket);
      return;
    }
    const minMs = outcome.type === "unavailable" ? (outcome.retryAfterMs ?? 0) : 0;
    const reason = reasonOf(outcome);
    if (ticket !== era) postpone(minMs);
    else if (reason !== null) close(reason, "detail" in outcome ? outcome.detail : null, minMs);
    else if (closed !== null) change(null);
  }

  /** A fault of ours says nothing about Lyceum. */
  function faulted(ticket: Ticket): void {
    if (ticket === era) probeFailed(0);
  }

  function beginRead(): void {
    if (closed !== null) closed.probe = "read";
  }

  /** @param minMs the pause that Lyceum asked for, or 0 */
  function readEnded(isAnswered: boolean, minMs = 0): void {
    if (closed?.probe !== "read") return;
    if (isAnswered) Object.assign(closed, { probe: null, answeredAt: clock.monotonic() });
    else probeFailed(minMs);
  }

  function close(reason: PauseReason, said: string | null, minMs: number): void {
    const failures = closed === null ? 0 : closed.failures + 1;
    const since = closed?.since ?? clock.now();
    const detail = pauseDetail(reason, said);
    change({ reason, detail, since, isForeign: false, ...pauseAfter(failures, minMs) });
  }

  function probeFailed(minMs: number): void {
    if (closed === null) return;
    change({ ...closed, isForeign: false, ...pauseAfter(closed.failures + 1, minMs) });
  }

  /** A start of an earlier era was answered with a longer pause. */
  function postpone(minMs: number): void {
    const probeAt = clock.monotonic() + Math.min(minMs, MAX_BELIEVED_MS);
    if (closed !== null && probeAt > closed.probeAt && minMs > 0) change({ ...closed, probeAt });
  }

  function pauseAfter(failures: number, minMs: number) {
    const ceilingMs = exponentialMs(failures + 1, { firstMs: MIN_PAUSE_MS, maxMs: MAX_PAUSE_MS });
    const pauseMs = Math.max(MIN_PAUSE_MS, ceilingMs * (0.75 + random() / 4));
    const waitMs = Math.max(pauseMs, Math.min(minMs, MAX_BELIEVED_MS));
    return { failures, probeAt: clock.monotonic() + waitMs, probe: null, answeredAt: NEVER };
  }

  /** @param isOwn this instance learned it from its own calls */
  function change(next: Closed | null, isOwn = true): void {
    const before = state();
    if ((closed === null) !== (next === null)) era++;
    if (next === null) openedAt = clock.now();
    closed = next;
    const after = state();
    for (const listener of listeners) listener(after, before, isOwn);
  }

  /**
   * The stored pause of another instance closes an open gate for one probe of its own, as Lyceum may answer this
   * instance; its end (null) opens the gate again. Returns false where the gate stays as it was.
   */
  function heed(pause: StartPause | null): boolean {
    if (pause === null) {
      if (closed?.isForeign !== true || closed.probe !== null) return false;
      change(null, false);
      return true;
    }
    if (closed !== null || pause.since <= openedAt) return false;
    const { reason, detail, since } = pause;
    change({ reason, detail, since, isForeign: true, ...pauseAfter(0, 0) }, false);
    return true;
  }

  /**
   * Called once, before the first start.
   * @param isForeign the pause is stored: it also ends when it is stored no longer
   */
  function restore({ reason, detail, since, failures, probeAt }: StartPause, isForeign: boolean): void {
    const waitMs = Math.min(Math.max(probeAt - clock.now(), 0), MAX_BELIEVED_MS);
    const pause = { ...pauseAfter(failures, 0), probeAt: clock.monotonic() + waitMs };
    change({ reason, detail, since, isForeign, ...pause });
  }

  function probeInMs(): number {
    return closed === null ? 0 : Math.max(0, Math.ceil(closed.probeAt - clock.monotonic()));
  }

  function state(): StartPause | null {
    if (closed === null) return null;
    const { reason, detail, since, failures } = closed;
    return { reason, detail, since, failures, probeAt: clock.now() + probeInMs() };
  }

  return {
    permit,
    begin,
    ended,
    faulted,
    beginRead,
    readEnded,
    heed,
    restore,
    probeInMs,
    state,
    /** On every closing, failed probe and opening. */
    onChange: (listener: Listener) => void listeners.add(listener),
  };
}

/** Null for a proper answer: Lyceum accepted, refused or throttled the start. */
function reasonOf({ type }: StartOutcome): PauseReason | null {
  if (type === "stale") return null;
  return type === "accepted" || type === "refused" || type === "throttled" ? null : type;
}

const MIN_PAUSE_MS = 1_000;
const MAX_PAUSE_MS = 5 * 60_000;
/** The longest documented window of Lyceum's limits. */
const MAX_BELIEVED_MS = 60 * 60_000;
/** A start follows the read at once, unless no run is queued. */
const MAX_ANSWER_AGE_MS = 10_000;
const NEVER = Number.NEGATIVE_INFINITY;
