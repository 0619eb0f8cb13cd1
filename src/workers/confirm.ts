// Confirm: what Lyceum says of one execution. Its record decides, and is the artifact when it tells of the end.
import type { DetectedBy, Reading } from "../domain/execution.ts";
import type { LyceumClient } from "../lyceum/client.ts";
import type { RecordReading } from "../lyceum/reading.ts";
import type { Context } from "../orchestration/context.ts";
import { settleAll } from "../orchestration/settle.ts";
import { saveArtifacts } from "../store/artifacts.ts";
import type { Due } from "../store/due.ts";
import type { Tx } from "../store/transaction.ts";
import type { Collect } from "./collect.ts";
import type { Notes } from "./notes.ts";
import {
  isComplete,
  isOver,
  lyceumIdOf,
  readingOfRecord,
  readingOfWord,
  type StoredRecord,
  storedRecord,
} from "./reading.ts";

export interface ConfirmOptions {
  lyceum: LyceumClient;
  now: () => number;
  notes: Notes;
  /** Fetches what belongs to an end. */
  collect: Pick<Collect, "begin">;
}

interface RecordRead {
  executionId: string;
  reading: Reading;
  /** What is kept of the record if it tells of an end; null: it is to be read again. */
  stored: StoredRecord | null;
  by: DetectedBy;
  askedAt: number;
  holdUntil(now: number): number | null;
}

export function createConfirm(context: Context, { lyceum, now, notes, collect }: ConfirmOptions) {
  const { note, unanswered } = notes;

  /** Reads the record, which decides; where there is none (yet), the status endpoint. */
  async function confirm(one: Due, by: DetectedBy): Promise<void> {
    const { execution } = one;
    const askedAt = now();
    const lane = by === "callback" ? "confirm" : "overdue";
    const record = await lyceum.record(lyceumIdOf(execution), lane);
    const word = record.outcome === "ok" ? record.value.word : null;
    context.report.check({
      executionId: execution.id,
      cause: by === "callback" ? "callback" : "overdue",
      word,
    });
    if (record.outcome === "ok") return noteRecord(one, record.value, by, askedAt);
    if (record.outcome !== "missing") return void (await unanswered(execution, record));
    const status = await lyceum.streamingStatus(lyceumIdOf(execution), lane);
    if (status.outcome === "ok") {
      const reading = readingOfWord(status.value.word, status.value.errors);
      await note(execution, { fact: "reading", reading, by, askedAt });
    } else if (status.outcome === "missing") await note(execution, { fact: "not_found", askedAt });
    else await unanswered(execution, status);
  }

  async function noteRecord(of: Due, record: RecordReading, by: DetectedBy, askedAt: number): Promise<void> {
    const { id } = of.execution;
    // The record that told of the end is the artifact: no second request for it. To that of a GPU selection belong
    // its sub-jobs, which are still to be read.
    const isWhole = isComplete(record) && of.kind !== "gpu_selection";
    const stored = isWhole ? storedRecord(record, of.kind) : null;
    const begun = isOver(record) ? collect.begin(of, stored) : null;
    let heldUntil: number | null = null;
    try {
      const holdUntil = (now: number) => begun?.holdUntil(now) ?? null;
      const read = { executionId: id, reading: readingOfRecord(record), stored, by, askedAt, holdUntil };
      heldUntil = await context.store.writeTogether(noteRecords, read);
    } finally {
      begun?.ended(heldUntil);
    }
  }

  /** Answers until when each is held for its documents, if its end is new and somebody fetches them. */
  async function noteRecords(tx: Tx, reads: RecordRead[]): Promise<(number | null)[]> {
    const held = reads.map(({ holdUntil }) => holdUntil(tx.now));
    const told = reads.map(({ executionId, reading, by, askedAt }, index) => {
      const heldUntil = held[index] ?? null;
      return { executionId, fact: { fact: "reading", reading, by, askedAt, heldUntil } as const };
    });
    const settled = await settleAll(context, tx, told);
    const isNewEnd = (index: number) =>
      settled[index]?.changed === true && settled[index].execution?.phase === "collecting";
    const artifacts = reads.flatMap(({ executionId, stored, askedAt }, index) => {
      if (stored === null || !isNewEnd(index)) return [];
      const read = { tries: 1, firstTriedAt: askedAt, fetchedAt: tx.now };
      return [{ executionId, kind: "record", state: "stored", dueAt: null, ...read, ...stored } as const];
    });
    await saveArtifacts(tx.db, artifacts);
    return held.map((until, index) => (isNewEnd(index) ? until : null));
  }

  /** A GPU selection has a status of its own: asked until it tells of an end. */
  async function confirmSelection(one: Due): Promise<void> {
    const { execution } = one;
    const answer = await lyceum.gpuSelectionStatus(lyceumIdOf(execution), "routine");
    if (answer.outcome === "ok" && !isOver(answer.value)) {
      context.report.check({ executionId: execution.id, cause: "routine", word: answer.value.word });
      await note(execution, {
        fact: "reading",
        reading: readingOfWord(answer.value.word),
        by: "poll",
        askedAt: now(),
      });
    } else if (answer.outcome === "ok" || answer.outcome === "missing") await confirm(one, "poll");
    else await unanswered(execution, answer);
  }

  return { confirm, confirmSelection };
}
