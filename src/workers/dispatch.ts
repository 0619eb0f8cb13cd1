// Reserves slots in the start limit, then claims runs, and sends the requests once the claims are durable.
import PQueue from "p-queue";
import { callbackToken } from "../domain/callback-token.ts";
import { takesCallback } from "../domain/spec.ts";
import { type Clock, isPaused } from "../lib/clock.ts";
import { forExecution } from "../lib/subject.ts";
import type { LyceumClient } from "../lyceum/client.ts";
import type { StartOutcome } from "../lyceum/outcome.ts";
import type { LimitNotice } from "../lyceum/rate-limit-headers.ts";
import type { RateLimiter, Reservation } from "../lyceum/rate-limiter.ts";
import { startRequest } from "../lyceum/request.ts";
import { type Claim, claimRuns, nextStartAt } from "../orchestration/claim-runs.ts";
import type { Context } from "../orchestration/context.ts";
import { saveQuota } from "../store/places.ts";
import { readStartPause } from "../store/start-pause.ts";
import type { Worker } from "./loop.ts";
import { notTaken, startFact } from "./start-facts.ts";
import type { StartGate, Ticket } from "./start-gate.ts";
import { createStartLeases } from "./start-leases.ts";
import { createStartOutcomes } from "./start-outcomes.ts";

export interface DispatchOptions {
  lyceum: LyceumClient;
  rateLimiter: RateLimiter;
  gate: StartGate;
  /** The secret of new callback tokens; null: no callbacks. */
  callbacks: { publicUrl: string; secret: string } | null;
  /** False: this instance has been silent since that monotonic moment, and others may have given up its claims. */
  isHeldAlive: (since: number) => boolean;
  /** False while starts from before a restore are searched for. */
  mayStart: () => boolean;
  concurrency: number;
  clock: Clock;
  /** A start has ended: another may follow. */
  onCapacity: () => void;
}

export function createDispatch(context: Context, options: DispatchOptions): Worker {
  const { lyceum, rateLimiter, gate, callbacks, isHeldAlive, mayStart, concurrency, clock, onCapacity } =
    options;
  const starts = new PQueue({ concurrency });
  const outcomes = createStartOutcomes(context, clock);
  const leases = createStartLeases(context, clock);
  /** All shared places were taken: until then, or the end of an own start, further submissions need no look at them. */
  let fullUntil = 0;

  /** @param claimedAt monotonic, before the claim. */
  async function start(claim: Claim, ticket: Ticket, claimedAt: number): Promise<void> {
    const { id: executionId, jobId, runId } = claim.execution;
    try {
      const outcome = await send(claim, () => isHeldAlive(claimedAt));
      const detail = "detail" in outcome ? outcome.detail : undefined;
      context.report.submission({ executionId, jobId, runId, outcome: outcome.type, detail });
      gate.ended(ticket, outcome);
      await saveNotice();
      await outcomes.record(
        executionId,
        startFact(outcome, { now: clock.now(), probeInMs: gate.probeInMs() }),
      );
    } catch (error) {
      // The row stands as submitting: its wake-up makes it in doubt, and it is searched for.
      gate.faulted(ticket);
      throw error;
    } finally {
      leases.release(executionId);
    }
  }

  let notice: LimitNotice | null = null;
  rateLimiter.onLimits((bucket, latest) => {
    if (bucket === "execution") notice = latest;
  });

  /** Runs before the slot of the start is settled. */
  async function saveNotice(): Promise<void> {
    const latest = notice;
    notice = null;
    if (latest === null || context.sharedLimits === null) return;
    await context.store
      .write((tx) => saveQuota(tx.db, "execution", latest, tx.now))
      .catch((error) => context.report.fault("dispatch", error));
  }

  function send({ run, execution, spec }: Claim, mayLeave: () => boolean): Promise<StartOutcome> {
    const found = context.foundStarts.ofExecution(execution.id);
    if (found !== null) {
      const { lyceumExecutionId, rawStatus } = found;
      return Promise.resolve({ type: "accepted", lyceumExecutionId, word: rawStatus });
    }
    const callbackUrl =
      callbacks !== null && takesCallback(run.kind)
        ? `${callbacks.publicUrl}/callbacks/lyceum/${execution.id}/${callbackToken(callbacks.secret, execution.id)}`
        : null;
    context.report.executionStarted({
      executionId: execution.id,
      jobId: run.jobId,
      runId: run.id,
      kind: run.kind,
      attempt: run.attempt,
    });
    return lyceum.start(startRequest(spec, { executionId: execution.id, callbackUrl }), mayLeave);
  }

  /** The history counts as well: an unreadable list is no reason to hold starts. */
  async function probe(): Promise<void> {
    try {
      const list = await lyceum.workloads("submit");
      const isClear = list.type === "ok" || list.type === "unauthorized";
      const answer = isClear ? list : await lyceum.history({ limit: 1, offset: 0 }, "submit");
      // Only the list's pause counts: the history has a limit of its own, which says nothing about starts.
      gate.readEnded(answer.type === "ok", list.type === "throttled" ? list.retryAfterMs : 0);
    } catch (error) {
      gate.readEnded(false);
      throw error;
    }
  }

  /** The commit of these claims was not confirmed: written or not, the starts were not sent. */
  function requeue(executionIds: string[]): void {
    for (const id of executionIds)
      begin(() => outcomes.record(id, notTaken("unclaimed", clock.now(), false)));
  }

  /** Releases the reservation if the gate was closed while the run was claimed. */
  function beginStart(claim: Claim, reservation: Reservation, claimedAt: number): void {
    const ticket = gate.begin();
    if (ticket === null) {
      reservation.release();
      const fact = notTaken(gate.state()?.reason ?? "unknown", clock.now() + gate.probeInMs(), false);
      begin(() => outcomes.record(claim.execution.id, fact));
      return;
    }
    leases.hold(claim.execution.id);
    begin(() => forExecution(claim.execution, () => start(claim, ticket, claimedAt)));
  }

  function begin(work: () => Promise<void>): void {
    const ended = () => {
      fullUntil = 0;
      onCapacity();
    };
    void starts.add(work).then(ended, (error) => {
      context.report.fault("dispatch", error);
      ended();
    });
  }

  /** `waitMs` says how long there are no more. */
  function reserve(max: number): { reservations: Reservation[]; waitMs: number } {
    const reservations: Reservation[] = [];
    while (reservations.length < max) {
      const reservation = rateLimiter.reserve("execution");
      if (!reservation.granted) return { reservations, waitMs: reservation.waitMs };
      reservations.push(reservation);
    }
    return { reservations, waitMs: 0 };
  }

  function release(reservations: Reservation[]): void {
    for (const reservation of reservations) reservation.release();
  }

  /** So that an outage costs the starts in flight once, and not once for each instance. */
  async function heedOthers(): Promise<boolean> {
    if (context.sharedLimits === null) return false;
    return gate.heed(await readStartPause(context.store.db, clock.now()));
  }

  /** Returns when to come back (epoch ms), or null: when woken. */
  async function startNext(): Promise<number | null> {
    // The start would be refused before it leaves, and claimed again at once.
    if (!isHeldAlive(clock.monotonic())) return clock.now() + UNTIL_HEARTBEAT_MS;
    if (isPaused(fullUntil, FULL_MS, clock.now())) return fullUntil;
    while (starts.pending + starts.size < concurrency) {
      const permit = gate.permit();
      if (permit.type === "none") return permit.waitMs === null ? null : clock.now() + permit.waitMs;
      if (permit.type === "all" && (await heedOthers())) continue;
      const freeSlots = permit.type === "all" ? concurrency - starts.pending - starts.size : 1;
      const { reservations, waitMs } = reserve(Math.min(freeSlots, MAX_AT_ONCE));
      if (reservations.length === 0) return clock.now() + waitMs;
      if (permit.type === "read") {
        release(reservations);
        const startAt = await nextStartAt(context, clock.now());
        if (startAt === null || startAt > clock.now()) return startAt;
        gate.beginRead();
        begin(probe);
        return null;
      }
      const claimedAt = clock.monotonic();
      const { claims, nextAt, isFull } = await claimRuns(context, reservations.length, requeue).catch(
        (error) => {
          release(reservations);
          throw error;
        },
      );
      const unused = reservations.splice(claims.length);
      release(unused);
      for (const [index, claim] of claims.entries())
        beginStart(claim, reservations[index] as Reservation, claimedAt);
      if (isFull) fullUntil = Math.min(nextAt ?? Number.POSITIVE_INFINITY, clock.now() + FULL_MS);
      if (unused.length > 0) return nextAt;
    }
    return null;
  }

  return {
    name: "dispatch",
    async runOnce() {
      await leases.renew();
      await outcomes.retry();
      const nextAt = outcomes.isFull() || !mayStart() ? null : await startNext();
      const times = [nextAt, outcomes.retryAt(), leases.renewAt()].filter((at) => at !== null);
      return times.length === 0 ? null : Math.min(...times);
    },
    idle: () => starts.onIdle(),
  };
}

/** Half of the time between two heartbeats. */
const UNTIL_HEARTBEAT_MS = 1_000;
/** Another instance may give a place back earlier. */
const FULL_MS = 1_000;
/** Runs claimed in one write. */
const MAX_AT_ONCE = 64;
