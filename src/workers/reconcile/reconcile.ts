// One reconciler for callbacks and polling: Lyceum decides what is true, whatever made the execution due. One list
// answers for all that are merely due; records are read if the list says too little, or a callback names them.
import PQueue from "p-queue";
import { createAwakeTime } from "../../lib/awake-time.ts";
import { isPaused } from "../../lib/clock.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import type { Context } from "../../orchestration/context.ts";
import { type DueExecution, nextDueAt } from "../../store/execution-claims.ts";
import { createClaims } from "../claims.ts";
import type { Worker } from "../loop.ts";
import type { Role } from "../role.ts";
import { createAbort } from "./abort.ts";
import { createAudit } from "./audit.ts";
import { createFollow } from "./follow.ts";
import { createGrouping, type Groups } from "./group.ts";
import { createInbox } from "./inbox.ts";
import { createKnownIds } from "./known-ids.ts";
import { createListPoll } from "./list-poll.ts";
import { wordOf } from "./list-snapshot.ts";
import { createRecordReader, type RecordCollect, type RecordState } from "./read-record.ts";
import { createFactRecorder } from "./record-fact.ts";
import { createSearch, type Wanted } from "./search.ts";

export interface ReconcilerOptions {
  lyceum: LyceumClient;
  now: () => number;
  monotonic?: () => number;
  collect: RecordCollect;
  /** Its holder reads the list for all instances. */
  reader?: Role;
  /** A round has ended, or the time of the next check is known. */
  onCapacity(): void;
  /** Lyceum is unreachable and not called for this long. */
  awayMs?: () => number;
  /** Further reads will soon be deferred. */
  isCrowded?: () => boolean;
  /** Reads for callbacks are deferred for this long. */
  deferredMs?: () => number;
  /** At a time. */
  batch?: number;
}

export function createReconciler(context: Context, options: ReconcilerOptions): Worker {
  const {
    lyceum,
    now,
    monotonic = now,
    collect,
    reader = { isHeld: async () => true },
    onCapacity,
    awayMs = () => 0,
    isCrowded = () => false,
    deferredMs = () => 0,
    batch = 500,
  } = options;
  const rounds = new PQueue({ concurrency: 4 });
  let pauseUntil = 0;
  let wasReader = false;
  const claims = createClaims(context, "reconcile", LEASE_MS, now);
  const inbox = createInbox(context, { now, claims });
  const recorder = createFactRecorder(context, now);
  const audit = createAudit(context, now);
  const knownIds = createKnownIds();
  const awakeMs = createAwakeTime(monotonic);
  const search = createSearch(context, { lyceum, now, awakeMs, recorder, knownIds });
  const readRecord = createRecordReader(context, { lyceum, now, recorder, collect, knownIds });
  const abort = createAbort(context, { lyceum, now, recorder, audit, readRecord, knownIds });
  const group = createGrouping(context, { now, isAbortDue: abort.isDue });
  const follow = createFollow(context, { now, recorder, readRecord, search, leaseMs: LEASE_MS });
  const listPoll = createListPoll(context, {
    lyceum,
    now,
    leaseMs: LEASE_MS,
    batch,
    audit,
    knownIds,
    retryAt: recorder.retryAt,
    async onChanged(changed, listSnapshot) {
      const { alive = [], gone = [] } = Object.groupBy(changed, (due) =>
        wordOf(due, listSnapshot) === null ? "gone" : "alive",
      );
      if (alive.length > 0) begin(alive, () => follow.alive(alive, listSnapshot));
      if (gone.length > 0) begin(gone, () => follow.gone(gone, listSnapshot));
      await rounds.onSizeLessThan(1);
    },
    onPolled: onCapacity,
  });

  /** Executions that `work` returns stay claimed and go on to the list poll. */
  function begin(claimed: DueExecution[], work: () => Promise<DueExecution[]>): void {
    rounds.add(async () => {
      const kept = await work().catch((error) => {
        context.report.fault("reconcile", error);
        return null;
      });
      const isLeft = inbox.checked(claimed);
      if (kept === null) {
        claims.failed(claimed);
        return onCapacity();
      }
      claims.done(claimed);
      for (const due of kept) claims.track(due, due.execution.dueAt ?? 0);
      listPoll.keep(kept);
      if (kept.length > 0 || isLeft) onCapacity();
    });
  }

  function releaseAndThrow(claimed: DueExecution[]) {
    return (error: unknown): never => {
      inbox.checked(claimed);
      claims.failed(claimed);
      throw error;
    };
  }

  async function round(groups: Omit<Groups, "listed">): Promise<DueExecution[]> {
    const { unansweredStarts, orphans, cancelled, called, single } = groups;
    const checks = [
      ...orphans.map((due) => [due, checkOrphan(due)] as const),
      ...cancelled.map((due) => [due, abort.send(due, due.cancellation?.mode ?? "abort")] as const),
      ...called.map((due) => [due, readRecord(due, { by: "callback" })] as const),
      ...single.map((due) => [due, readRecord(due, { by: "poll" })] as const),
    ];
    const wanted: Wanted[] = [];
    await Promise.all([
      ...unansweredStarts.map(({ execution }) =>
        recorder.record(execution, {
          type: "outcome_unknown",
          detail: "no answer to the start was recorded",
        }),
      ),
      ...checks.map(async ([{ execution }, check]) => {
        const state = await check;
        if (state === "absent" || state === "barred")
          wanted.push({ execution, isBarred: state === "barred" });
      }),
    ]);
    await search(wanted, null);
    return [];
  }

  /** The record first: an ended orphan still owes its cost. An orphan that is alive is aborted. */
  async function checkOrphan(due: DueExecution): Promise<RecordState> {
    const state = await readRecord(due, { by: "poll" });
    return state === "alive" && abort.isDue(due) ? abort.send(due, "abort") : state;
  }

  /** While callbacks are reliable, lists are rare, and all live executions share each of them. */
  const soonMs = () =>
    context.health.mode(now()) === "healthy" ? context.rules.pollMaxMs : context.rules.pollMinMs;

  /** An execution may come due by itself while its callback is being checked. Its claim ends with that check. */
  const withoutCalled = (due: DueExecution[]) =>
    due.filter(({ execution }) => !context.underCheck.has(execution.id));

  /** When Lyceum may be asked again; 0: now. */
  function heldUntil(): number {
    if (rounds.size > 0) return now() + 1_000;
    // Do not claim while Lyceum is unreachable: each claim would be written twice for nothing.
    const silentMs = Math.min(awayMs(), context.rules.pollMinMs);
    if (silentMs > 0) return now() + silentMs;
    // Claim little by little while many reads wait: deferred executions come due again, but cancellations must pass.
    if (isPaused(pauseUntil, CROWDED_PAUSE_MS, now())) return pauseUntil;
    if (isCrowded()) pauseUntil = now() + CROWDED_PAUSE_MS;
    return 0;
  }

  return {
    name: "reconcile",
    async runOnce() {
      // Asked in each round, so that a standstill is noticed.
      awakeMs();
      const until = heldUntil();
      // A read that would only be deferred leaves its callback in the inbox.
      const waitMs = deferredMs();
      const isFull = until > 0 || waitMs > 0 || isCrowded();
      await inbox.fileOverdue(batch, isFull ? { checkInMs: waitMs } : null);
      if (until > 0) return Math.min(until, inbox.nextAt());
      const isReader = await reader.isHeld();
      // The new reader's list is to answer for them, not a second list.
      if (wasReader && !isReader) await claims.giveBack(listPoll.leave());
      wasReader = isReader;
      const called = isFull ? [] : await inbox.take(batch);
      const taking = isReader ? claims.take(batch) : claims.takeNamed(batch);
      const claimed = [...called, ...withoutCalled(await taking.catch(releaseAndThrow(called)))];
      const hasList = isReader && (group(claimed).listed.length > 0 || listPoll.dueAt() <= now());
      if (hasList) {
        const listable = claims.takeListable(soonMs(), batch);
        claimed.push(...withoutCalled(await listable.catch(releaseAndThrow(claimed))));
      }
      const { listed, ...groups } = group(claimed, hasList);
      const others = Object.values(groups).flat();
      listPoll.forget(others);
      listPoll.watch(listed);
      if (others.length > 0) begin(others, () => round(groups));
      if (listPoll.dueAt() <= now()) listPoll.poll();
      const next = await nextDueAt(context.store.db, "reconcile");
      const nextAt = Math.min(next ?? Number.POSITIVE_INFINITY, listPoll.dueAt());
      // The reader claims what is due by then.
      const othersAt = isReader ? 0 : now() + OTHERS_LOOK_AFTER_MS;
      return Math.min(inbox.nextAt(), Math.max(nextAt, othersAt));
    },
    async idle() {
      await listPoll.idle();
      await rounds.onIdle();
    },
    release: claims.release,
  };
}

/** Longer than the calls of a round may take; after a crash the executions come due again after this. */
const LEASE_MS = 5 * 60_000;
const CROWDED_PAUSE_MS = 250;
const OTHERS_LOOK_AFTER_MS = 1_000;
