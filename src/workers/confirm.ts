// Confirm: what Lyceum says of one execution. Its record decides, and is the artifact when it tells of the end.
import type { DetectedBy } from "../domain/execution.ts";
import { lacksBill, measured } from "../domain/measure.ts";
import type { LyceumClient } from "../lyceum/client.ts";
import type { RecordReading } from "../lyceum/reading.ts";
import { noteRecord } from "../orchestration/collect.ts";
import type { Context } from "../orchestration/context.ts";
import type { Due } from "../store/due.ts";
import { withFreeHardware } from "./bills.ts";
import type { Collect } from "./collect.ts";
import type { Notes } from "./notes.ts";
import { isComplete, isOver, lyceumIdOf, readingOfRecord, readingOfWord, storedRecord } from "./reading.ts";
import { withoutSecrets } from "./secrets.ts";

export interface ConfirmOptions {
  lyceum: LyceumClient;
  now: () => number;
  notes: Notes;
  /** Fetches what belongs to an end. */
  collect: Pick<Collect, "begin">;
}

export function createConfirm(context: Context, { lyceum, now, notes, collect }: ConfirmOptions) {
  const { note, unanswered } = notes;

  /** Reads the record, which decides; where there is none (yet), or none that can be had, the status endpoint. */
  async function confirm(one: Due, by: DetectedBy): Promise<void> {
    const { execution } = one;
    const askedAt = now();
    const lane = by === "callback" ? "confirm" : "overdue";
    const record = await lyceum.record(lyceumIdOf(execution), execution.id, lane);
    const word = record.outcome === "ok" ? record.value.word : null;
    context.report.check({
      executionId: execution.id,
      cause: by === "callback" ? "callback" : "overdue",
      word,
    });
    if (record.outcome === "ok") {
      const shown = await withoutSecrets(context.store.db, execution, record.value);
      return keep(one, shown, by, askedAt);
    }
    const isForeign = record.outcome === "unreadable" && record.isForeign === true;
    const isAnswer = ["missing", "refused", "unreadable"].includes(record.outcome);
    if (!isAnswer || isForeign) return void (await unanswered(execution, record));
    const status = await lyceum.streamingStatus(lyceumIdOf(execution), lane);
    if (status.outcome === "ok") {
      const reading = readingOfWord(status.value.word, status.value.errors);
      await note(execution, { fact: "reading", reading, by, askedAt });
    } else if (status.outcome === "missing") await note(execution, { fact: "not_found", askedAt });
    else await unanswered(execution, status);
  }

  async function keep(of: Due, record: RecordReading, by: DetectedBy, askedAt: number): Promise<void> {
    // The record that told of the end is the artifact: no second request for it. To that of a GPU selection belong
    // its sub-jobs, which are still to be read.
    const isWhole = isComplete(record) && of.kind !== "gpu_selection";
    const reading = await withFreeHardware(context.store.db, of.execution, readingOfRecord(record));
    const stored = isWhole ? storedRecord(record, of.kind) : null;
    const awaits_bill = lacksBill(of.execution, reading);
    const kept = stored && awaits_bill ? { ...stored, summary: { ...stored.summary, awaits_bill } } : stored;
    const execution = { ...of.execution, ...measured(of.execution, reading) };
    const status = reading.status ?? execution.status;
    const begun = isOver(record) ? collect.begin({ ...of, execution: { ...execution, status } }, kept) : null;
    let heldUntil: number | null = null;
    try {
      const holdUntil = (now: number) => begun?.holdUntil(now) ?? null;
      const executionId = of.execution.id;
      heldUntil = await noteRecord(context, { executionId, reading, by, askedAt, kept, holdUntil });
    } finally {
      begun?.ended(heldUntil);
    }
  }

  /** A GPU selection has a status of its own: asked until it tells of an end. */
  async function confirmSelection(one: Due): Promise<void> {
    const { execution } = one;
    const answer = await lyceum.gpuSelectionStatus(lyceumIdOf(execution), "routine");
    const word = answer.outcome === "ok" ? answer.value.word : null;
    if (word !== null && !isOver({ word })) {
      context.report.check({ executionId: execution.id, cause: "routine", word });
      await note(execution, {
        fact: "reading",
        reading: readingOfWord(word),
        by: "poll",
        askedAt: now(),
      });
    } else if (answer.outcome === "ok" || answer.outcome === "missing") await confirm(one, "poll");
    else await unanswered(execution, answer);
  }

  return { confirm, confirmSelection };
}
