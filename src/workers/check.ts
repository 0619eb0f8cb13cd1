// Check: one reconciler for callbacks and polling. Whatever woke an execution, Lyceum's own API decides what is
// true of it. One list answers for all that are merely due; single reads are for those that left the list or
// that a callback named.
import PQueue from "p-queue";
import { isResting } from "../domain/clock.ts";
import type { Execution } from "../domain/execution.ts";
import type { LyceumClient } from "../lyceum/client.ts";
import type { Context } from "../orchestration/context.ts";
import { type Due, nextDueAt } from "../store/due.ts";
import { createClaims } from "./claims.ts";
import type { Collect } from "./collect.ts";
import { createConfirm } from "./confirm.ts";
import type { Worker } from "./loop.ts";
import { createNotes } from "./notes.ts";
import { isOver, lyceumIdOf, readingOfWord } from "./reading.ts";
import { createSearch } from "./search.ts";
import { createSurvey, isSought, type Sight } from "./survey.ts";

export interface CheckOptions {
  lyceum: LyceumClient;
  now: () => number;
  /** Fetches what belongs to an end. */
  collect: Pick<Collect, "begin">;
  /** There is room for more, or the next look is known. */
  onRoom(): void;
  /** How long Lyceum is not to be asked because it cannot be reached. */
  awayMs?: () => number;
  /** Whether what is asked now would mostly be held back. */
  isCrowded?: () => boolean;
  /** Executions looked at together. */
  batch?: number;
}

export function createCheck(
  context: Context,
  { lyceum, now, collect, onRoom, awayMs = () => 0, isCrowded = () => false, batch = 500 }: CheckOptions,
): Worker {
  const rounds = new PQueue({ concurrency: 4 });
  let restUntil = 0;
  const claims = createClaims(context, "check", LEASE_MS);
  const notes = createNotes(context, now);
  const { note, unanswered } = notes;
  const search = createSearch(context, lyceum, notes);
  const { confirm, confirmSelection } = createConfirm(context, { lyceum, now, notes, collect });
  const survey = createSurvey(context, {
    lyceum,
    now,
    leaseMs: LEASE_MS,
    batch,
    retryAt: notes.retryAt,
    async onNews(due, sight) {
      const { alive = [], gone = [] } = Object.groupBy(due, (one) =>
        wordOf(one, sight) === null ? "gone" : "alive",
      );
      if (alive.length > 0) begin(alive, () => noteWords(alive, sight));
      if (gone.length > 0) begin(gone, () => follow(gone, sight));
      await rounds.onSizeLessThan(1);
    },
    onRead: onRoom,
  });

  /** Works on what was claimed. What `work` answers stays claimed and goes on to the survey. */
  function begin(due: Due[], work: () => Promise<Due[]>): void {
    rounds.add(async () => {
      const kept = await work().catch((error) => {
        context.report.fault("check", error);
        return [];
      });
      claims.done(due);
      for (const one of kept) claims.adopt(one, one.execution.dueAt ?? 0);
      survey.keep(kept);
      if (kept.length > 0) onRoom();
    });
  }

  const isListed = (one: Due) => ["routine", "search"].includes(groupOf(one, now()));

  async function round(due: Due[]): Promise<Due[]> {
    const groups = Object.groupBy(due, (one) => groupOf(one, now()));
    await Promise.all([
      ...(groups.unanswered_start ?? []).map(({ execution }) =>
        note(execution, { fact: "outcome_unknown", detail: "no answer to the start was recorded" }),
      ),
      ...(groups.cancel ?? []).map((one) => sendCancel(one.execution, one.cancellation?.mode ?? "abort")),
      ...(groups.confirm ?? []).map((one) => confirm(one, "callback")),
      ...(groups.selection ?? []).map((one) => confirmSelection(one)),
    ]);
    return [];
  }

  async function sendCancel(execution: Execution, mode: "abort" | "stop"): Promise<void> {
    const id = lyceumIdOf(execution);
    const answer = mode === "stop" ? await lyceum.stop(id) : await lyceum.abort(id);
    context.report.check({ executionId: execution.id, cause: "cancel", word: answer.outcome });
    // 404: already over, or never known; 4xx: nothing to do about it. The next check tells.
    const isSent = answer.outcome === "ok" || answer.outcome === "missing" || answer.outcome === "refused";
    if (execution.phase === "orphan" && isSent)
      await note(execution, { fact: "orphan_ended", raw: "aborted" });
    else if (isSent) await note(execution, { fact: "cancel_sent", mode });
    else await unanswered(execution, answer);
  }

  /** What the list shows alive, but not as it was known; answers what is to be watched further. */
  async function noteWords(due: Due[], sight: Sight): Promise<Due[]> {
    const kept = due.map(async (one): Promise<Due[]> => {
      const { execution, cancellation } = one;
      const word = wordOf(one, sight) ?? "";
      context.report.check({ executionId: execution.id, cause: "routine", word });
      const heldUntil = cancellation === null ? now() + LEASE_MS : null;
      const look = { by: "poll", askedAt: sight.askedAt, heldUntil } as const;
      const settled = await note(execution, { fact: "reading", reading: readingOfWord(word), ...look });
      const after = settled?.execution;
      return after?.phase === "watching" && after.dueAt === heldUntil ? [{ ...one, execution: after }] : [];
    });
    return (await Promise.all(kept)).flat();
  }

  /** What the list does not show alive: it has left the list, or is sought there; or there was no list. */
  async function follow(due: Due[], { list, rows, askedAt }: Sight): Promise<Due[]> {
    if (list.outcome !== "ok") await Promise.all(due.map(({ execution }) => unanswered(execution, list)));
    else
      await Promise.all([
        ...due.filter((one) => !isSought(one)).map((one) => confirm(one, "poll")),
        search(due.filter(isSought).map(executionOf), rows.values(), askedAt),
      ]);
    return [];
  }

  return {
    name: "check",
    async runOnce() {
      if (rounds.size > 0) return now() + 1_000;
      // What is due waits together: asked for one by one, thousands would be claimed and noted again and again.
      const silentMs = Math.min(awayMs(), context.rules.pollMinMs);
      if (silentMs > 0) return now() + silentMs;
      // Little by little while many wait: what is held back comes due again, but cancellations must get through.
      if (isResting(restUntil, CROWDED_REST_MS, now())) return restUntil;
      if (isCrowded()) restUntil = now() + CROWDED_REST_MS;
      const due = await claims.take(batch);
      // One list answers for all: those that would ask for it soon come along.
      if (due.some(isListed) || survey.dueAt() <= now())
        due.push(...(await claims.takeAlong(context.rules.pollMinMs, batch)));
      const [listed, others] = [due.filter(isListed), due.filter((one) => !isListed(one))];
      survey.forget(others);
      survey.watch(listed);
      if (others.length > 0) begin(others, () => round(others));
      if (survey.dueAt() <= now()) survey.look();
      const next = await nextDueAt(context.store.db, "check");
      return Math.min(next ?? Number.POSITIVE_INFINITY, survey.dueAt());
    },
    async idle() {
      await survey.idle();
      await rounds.onIdle();
    },
    handBack: claims.handBack,
  };
}

/** Longer than the calls of a round may take; whoever dies with a claim leaves it due again after this. */
const LEASE_MS = 5 * 60_000;
const CROWDED_REST_MS = 250;
/** An abort that has not shown an effect is sent again after this. */
const CANCEL_AGAIN_MS = 30_000;

type Group = "unanswered_start" | "search" | "cancel" | "confirm" | "selection" | "routine";

function groupOf({ execution, kind, cancellation }: Due, now: number): Group {
  if (execution.phase === "submitting") return execution.inDoubtAt === null ? "unanswered_start" : "search";
  if (execution.phase === "orphan") return execution.lyceumExecutionId === null ? "search" : "cancel";
  const isUnsent = execution.cancelSentAt === null || now - execution.cancelSentAt >= CANCEL_AGAIN_MS;
  if (cancellation !== null && isUnsent) return "cancel";
  if (execution.callbackAt !== null) return "confirm";
  return kind === "gpu_selection" ? "selection" : "routine";
}

/** Its word if the list shows it alive. */
function wordOf(one: Due, { rows }: Sight): string | null {
  const row = isSought(one) ? undefined : rows.get(lyceumIdOf(one.execution));
  return row === undefined || isOver(row) ? null : row.word;
}

function executionOf({ execution }: Due): Execution {
  return execution;
}
