// Check: one reconciler for callbacks and polling. Whatever woke an execution, Lyceum's own API decides what is
// true of it. One list answers for all that are merely due; single reads are for those that left the list or
// that a callback named.
import PQueue from "p-queue";
import type { DetectedBy, Execution } from "../domain/execution.ts";
import type { LyceumClient } from "../lyceum/client.ts";
import type { RecordReading, RunRow } from "../lyceum/reading.ts";
import type { Context } from "../orchestration/context.ts";
import { settle } from "../orchestration/settle.ts";
import { saveArtifact } from "../store/artifacts.ts";
import { type Due, nextDueAt } from "../store/due.ts";
import { createClaims } from "./claims.ts";
import type { Worker } from "./loop.ts";
import { createNotes } from "./notes.ts";
import { isComplete, isOver, readingOfRecord, readingOfWord, recordDocument } from "./reading.ts";
import { byMarker, createSearch } from "./search.ts";

export interface CheckOptions {
  lyceum: LyceumClient;
  now: () => number;
  /** Executions looked at together. */
  batch?: number;
}

export function createCheck(context: Context, { lyceum, now, batch = 500 }: CheckOptions): Worker {
  const rounds = new PQueue({ concurrency: 4 });
  const claims = createClaims(context, "check", LEASE_MS);
  const { note, unanswered } = createNotes(context, now);
  const search = createSearch(context, lyceum, { note, unanswered });

  async function round(due: Due[]): Promise<void> {
    const groups = Object.groupBy(due, (one) => groupOf(one, now()));
    await Promise.all([
      ...(groups.unanswered_start ?? []).map(({ execution }) =>
        note(execution, { fact: "outcome_unknown", detail: "no answer to the start was recorded" }),
      ),
      ...(groups.cancel ?? []).map((one) => sendCancel(one.execution, one.cancellation?.mode ?? "abort")),
      ...(groups.confirm ?? []).map((one) => confirm(one.execution, "callback")),
      ...(groups.selection ?? []).map((one) => checkSelection(one.execution)),
      survey((groups.routine ?? []).map(executionOf), (groups.search ?? []).map(executionOf)),
    ]);
  }

  async function sendCancel(execution: Execution, mode: "abort" | "stop"): Promise<void> {
    const id = lyceumId(execution);
    const answer = mode === "stop" ? await lyceum.stop(id) : await lyceum.abort(id);
    context.report.check({ executionId: execution.id, cause: "cancel", word: answer.outcome });
    // 404: already over, or never known; 4xx: nothing to do about it. The next check tells.
    const isSent = answer.outcome === "ok" || answer.outcome === "missing" || answer.outcome === "refused";
    if (execution.phase === "orphan" && isSent)
      await note(execution, { fact: "orphan_ended", raw: "aborted" });
    else if (isSent) await note(execution, { fact: "cancel_sent", mode });
    else await unanswered(execution, answer);
  }

  /** The shared list for all that are due, then what the list cannot tell. */
  async function survey(routine: Execution[], searched: Execution[]): Promise<void> {
    if (routine.length + searched.length === 0) return;
    const [only] = routine;
    if (only !== undefined && routine.length + searched.length === 1) return confirm(only, "poll");
    const askedAt = now();
    const list = await lyceum.workloads(searched.length > 0 ? "overdue" : "routine");
    if (list.outcome !== "ok") {
      await Promise.all([...routine, ...searched].map((execution) => unanswered(execution, list)));
      return;
    }
    const byId = new Map(list.value.map((row) => [row.executionId, row]));
    await Promise.all([
      ...routine.map((execution) => {
        const row = byId.get(lyceumId(execution));
        const isLive = row !== undefined && !isOver(row);
        return isLive ? noteRow(execution, row, askedAt) : confirm(execution, "poll");
      }),
      search(searched, byMarker(list.value), askedAt),
    ]);
  }

  async function noteRow(execution: Execution, row: RunRow, askedAt: number): Promise<void> {
    context.report.check({ executionId: execution.id, cause: "routine", word: row.word });
    await note(execution, { fact: "reading", reading: readingOfWord(row.word), by: "poll", askedAt });
  }

  async function checkSelection(execution: Execution): Promise<void> {
    const answer = await lyceum.gpuSelectionStatus(lyceumId(execution), "routine");
    if (answer.outcome === "ok" && !isOver(answer.value)) {
      context.report.check({ executionId: execution.id, cause: "routine", word: answer.value.word });
      await note(execution, {
        fact: "reading",
        reading: readingOfWord(answer.value.word),
        by: "poll",
        askedAt: now(),
      });
    } else if (answer.outcome === "ok" || answer.outcome === "missing") await confirm(execution, "poll");
    else await unanswered(execution, answer);
  }

  /** Reads the record, which decides; where there is none (yet), the status endpoint. */
  async function confirm(execution: Execution, by: DetectedBy): Promise<void> {
    const askedAt = now();
    const lane = by === "callback" ? "confirm" : "overdue";
    const record = await lyceum.record(lyceumId(execution), lane);
    const word = record.outcome === "ok" ? record.value.word : null;
    context.report.check({
      executionId: execution.id,
      cause: by === "callback" ? "callback" : "overdue",
      word,
    });
    if (record.outcome === "ok") return noteRecord(execution, record.value, by, askedAt);
    if (record.outcome !== "missing") return void (await unanswered(execution, record));
    const status = await lyceum.streamingStatus(lyceumId(execution), lane);
    if (status.outcome === "ok") {
      const reading = readingOfWord(status.value.word, status.value.errors);
      await note(execution, { fact: "reading", reading, by, askedAt });
    } else if (status.outcome === "missing") await note(execution, { fact: "not_found", askedAt });
    else await unanswered(execution, status);
  }

  async function noteRecord(
    execution: Execution,
    record: RecordReading,
    by: DetectedBy,
    askedAt: number,
  ): Promise<void> {
    await context.store.write(async (tx) => {
      const settled = await settle(context, tx, execution.id, {
        fact: "reading",
        reading: readingOfRecord(record),
        by,
        askedAt,
      });
      // The record that told of the end is the artifact: no second request for it. To that of a GPU selection belong
      // its sub-jobs, which are still to be read.
      const isWhole = isComplete(record) && settled?.run.kind !== "gpu_selection";
      if (settled?.changed && settled.execution?.phase === "collecting" && isWhole) {
        const stored = {
          state: "stored" as const,
          dueAt: null,
          tries: 1,
          firstTriedAt: askedAt,
          fetchedAt: tx.now,
        };
        await saveArtifact(tx.db, execution.id, "record", { ...stored, document: recordDocument(record) });
      }
    });
  }

  return {
    name: "check",
    async runOnce() {
      if (rounds.size > 0) return now() + 1_000;
      const due = await claims.take(batch);
      // One list answers for all: those that would ask for it soon come along.
      if (due.some((one) => isListed(groupOf(one, now())))) {
        due.push(...(await claims.takeAlong(context.rules.pollMinMs, batch)));
      }
      if (due.length > 0) {
        rounds
          .add(() => round(due))
          .catch((error) => context.report.fault("check", error))
          .finally(() => claims.done(due));
      }
      return nextDueAt(context.store.db, "check");
    },
    idle: () => rounds.onIdle(),
    handBack: claims.handBack,
  };
}

/** Longer than the calls of a round may take; whoever dies with a claim leaves it due again after this. */
const LEASE_MS = 5 * 60_000;
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

function isListed(group: Group): boolean {
  return group === "routine" || group === "search";
}

function executionOf({ execution }: Due): Execution {
  return execution;
}

function lyceumId(execution: Execution): string {
  if (execution.lyceumExecutionId === null) throw new Error(`execution ${execution.id} has no id at Lyceum`);
  return execution.lyceumExecutionId;
}
