// Check: one reconciler for callbacks and polling. Whatever woke an execution, Lyceum's own API decides what is
// true of it. One list answers for all that are merely due; single reads are for those that left the list, that a
// callback named, or of which the list says too little.
import PQueue from "p-queue";
import { isPaused } from "../../lib/clock.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import type { Context } from "../../orchestration/context.ts";
import { type DueExecution, nextDueAt } from "../../store/execution-claims.ts";
import { createClaims } from "../claims.ts";
import type { Collect } from "../collect/collect.ts";
import type { Worker } from "../loop.ts";
import { createAbort } from "./abort.ts";
import { createAudit } from "./audit.ts";
import { createFollow } from "./follow.ts";
import { createGrouping, type Groups } from "./group.ts";
import { createKnownIds } from "./known-ids.ts";
import { createListPoll } from "./list-poll.ts";
import { wordOf } from "./list-snapshot.ts";
import { createRecordReader, type RecordState } from "./read-record.ts";
import { createFactRecorder } from "./record-fact.ts";
import { createSearch, type Wanted } from "./search.ts";

export interface ReconcilerOptions {
  lyceum: LyceumClient;
  now: () => number;
  /** Fetches what belongs to an end. */
  collect: Pick<Collect, "begin">;
  /** There is room for more, or the next look is known. */
  onCapacity(): void;
  /** How long Lyceum is not to be asked because it cannot be reached. */
  awayMs?: () => number;
  /** Whether what is asked now would mostly be held back. */
  isCrowded?: () => boolean;
  /** Executions looked at together. */
  batch?: number;
}

export function createReconciler(
  context: Context,
  {
    lyceum,
    now,
    collect,
    onCapacity,
    awayMs = () => 0,
    isCrowded = () => false,
    batch = 500,
  }: ReconcilerOptions,
): Worker {
  const rounds = new PQueue({ concurrency: 4 });
  let restUntil = 0;
  const claims = createClaims(context, "check", LEASE_MS);
  const notes = createFactRecorder(context, now);
  const audit = createAudit(context, now);
  const own = createKnownIds();
  const search = createSearch(context, { lyceum, now, notes, own });
  const confirm = createRecordReader(context, { lyceum, now, notes, collect, own });
  const abort = createAbort(context, { lyceum, now, notes, audit, confirm, own });
  const group = createGrouping(context, { now, isAbortDue: abort.isDue });
  const follow = createFollow(context, { now, notes, confirm, search, leaseMs: LEASE_MS });
  const survey = createListPoll(context, {
    lyceum,
    now,
    leaseMs: LEASE_MS,
    batch,
    audit,
    own,
    retryAt: notes.retryAt,
    async onChanged(due, sight) {
      const { alive = [], gone = [] } = Object.groupBy(due, (one) =>
        wordOf(one, sight) === null ? "gone" : "alive",
      );
      if (alive.length > 0) begin(alive, () => follow.alive(alive, sight));
      if (gone.length > 0) begin(gone, () => follow.gone(gone, sight));
      await rounds.onSizeLessThan(1);
    },
    onRead: onCapacity,
  });

  /** Works on what was claimed. What `work` answers stays claimed and goes on to the survey. */
  function begin(due: DueExecution[], work: () => Promise<DueExecution[]>): void {
    rounds.add(async () => {
      const kept = await work().catch((error) => {
        context.report.fault("check", error);
        return null;
      });
      if (kept === null) {
        claims.failed(due);
        return onCapacity();
      }
      claims.done(due);
      for (const one of kept) claims.track(one, one.execution.dueAt ?? 0);
      survey.keep(kept);
      if (kept.length > 0) onCapacity();
    });
  }

  function giveBack(due: DueExecution[]) {
    return (error: unknown): never => {
      claims.failed(due);
      throw error;
    };
  }

  async function round({
    unansweredStarts,
    orphans,
    cancelled,
    called,
    single,
  }: Omit<Groups, "listed">): Promise<DueExecution[]> {
    const looks = [
      ...orphans.map((one) => [one, lookAtOrphan(one)] as const),
      ...cancelled.map((one) => [one, abort.send(one, one.cancellation?.mode ?? "abort")] as const),
      ...called.map((one) => [one, confirm(one, { by: "callback" })] as const),
      ...single.map((one) => [one, confirm(one, { by: "poll" })] as const),
    ];
    const wanted: Wanted[] = [];
    await Promise.all([
      ...unansweredStarts.map(({ execution }) =>
        notes.note(execution, { type: "outcome_unknown", detail: "no answer to the start was recorded" }),
      ),
      ...looks.map(async ([{ execution }, look]) => {
        const confirmed = await look;
        if (confirmed === "absent" || confirmed === "barred")
          wanted.push({ execution, isBarred: confirmed === "barred" });
      }),
    ]);
    await search(wanted, null);
    return [];
  }

  /** It may be over, and then what it cost is owed. It is aborted once its record says that it lives. */
  async function lookAtOrphan(one: DueExecution): Promise<RecordState> {
    const confirmed = await confirm(one, { by: "poll" });
    // Nobody waits for it any more: its run has ended, or goes on with another execution.
    return confirmed === "alive" && abort.isDue(one) ? abort.send(one, "abort") : confirmed;
  }

  /** One list answers for all. Where callbacks are relied on, lists are rare, and all that live share each of them. */
  const soonMs = () =>
    context.health.mode(now()) === "healthy" ? context.rules.pollMaxMs : context.rules.pollMinMs;

  return {
    name: "check",
    async runOnce() {
      if (rounds.size > 0) return now() + 1_000;
      // Do not claim while Lyceum cannot be reached: each claim would be written twice for nothing.
      const silentMs = Math.min(awayMs(), context.rules.pollMinMs);
      if (silentMs > 0) return now() + silentMs;
      // Little by little while many wait: what is held back comes due again, but cancellations must get through.
      if (isPaused(restUntil, CROWDED_REST_MS, now())) return restUntil;
      if (isCrowded()) restUntil = now() + CROWDED_REST_MS;
      const due = await claims.take(batch);
      const hasList = group(due).listed.length > 0 || survey.dueAt() <= now();
      if (hasList) due.push(...(await claims.takeListable(soonMs(), batch).catch(giveBack(due))));
      const { listed, ...groups } = group(due, hasList);
      const others = Object.values(groups).flat();
      survey.forget(others);
      survey.watch(listed);
      if (others.length > 0) begin(others, () => round(groups));
      if (survey.dueAt() <= now()) survey.look();
      const next = await nextDueAt(context.store.db, "check");
      return Math.min(next ?? Number.POSITIVE_INFINITY, survey.dueAt());
    },
    async idle() {
      await survey.idle();
      await rounds.onIdle();
    },
    handBack: claims.release,
  };
}

/** Longer than the calls of a round may take; whoever dies with a claim leaves it due again after this. */
const LEASE_MS = 5 * 60_000;
const CROWDED_REST_MS = 250;
