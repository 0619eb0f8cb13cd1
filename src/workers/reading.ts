// From Lyceum's record to what the state machine reads, and to the artifact that is kept of it.
import { type Execution, hasEnded, type Reading } from "../domain/execution.ts";
import { printedOf, tellsOutput } from "../domain/output.ts";
import type { RecordSummary } from "../domain/selection.ts";
import type { RunKind } from "../domain/spec.ts";
import { redact } from "../lyceum/detail.ts";
import type { HistoryRow, RecordReading } from "../lyceum/reading.ts";
import { classify } from "../lyceum/word.ts";

/** Of a row of a list: the word and little more. */
export function readingOfWord(word: string, detail?: string | null): Reading {
  const { status, raw, timedOut } = classify(word);
  return { status, raw: raw.slice(0, LONGEST_WORD), timedOut, detail: clip(detail) };
}

export function readingOfRow(row: HistoryRow): Reading {
  return {
    ...readingOfWord(row.word, row.statusDetails),
    startedAt: row.startTime ?? row.execeletStart ?? undefined,
    endedAt: row.endTime ?? row.finishTime ?? undefined,
    cost: row.billed ?? undefined,
    hardware: row.hardwareProfile ?? undefined,
  };
}

export function readingOfRecord(record: RecordReading): Reading {
  const reading = readingOfRow(record);
  const detail = clip(record.errors) ?? reading.detail;
  return { ...reading, returnCode: record.returnCode ?? undefined, detail };
}

export function isOver({ word }: { word: string }): boolean {
  const { status } = classify(word);
  return status !== null && hasEnded(status);
}

export function lyceumIdOf({ id, lyceumExecutionId }: Execution): string {
  if (lyceumExecutionId === null) throw new Error(`execution ${id} has no id at Lyceum`);
  return lyceumExecutionId;
}

/** What is kept of a record: output and outcome, never the fields that may hold secrets. */
export function recordDocument(record: RecordReading) {
  return {
    ...printedOf(record),
    return_code: record.returnCode,
    // Its text: numbers that no number can hold stay as they came.
    result_json: record.result,
    errors: record.errors,
    warnings: record.warnings,
    install_log: record.installLog,
    install_return_code: record.installReturnCode,
    status_details: record.statusDetails,
  };
}

export type RecordDocument = ReturnType<typeof recordDocument>;

/** A record as it is stored. */
export interface StoredRecord {
  document: RecordDocument;
  summary: RecordSummary | null;
}

export function storedRecord(record: RecordReading, kind: RunKind): StoredRecord {
  const document = recordDocument(record);
  const length = document.stdout.length + document.stderr.length;
  const tellsAll = length <= MOST_COMPARED && tellsOutput(record, kind);
  return { document, summary: { tells_output: tellsAll, has_output: length > 0 } };
}

/** More than this is not compared with the log, which may end before it. */
const MOST_COMPARED = 256 * 1024;

/** By what a log is judged. */
export interface Printed {
  isAny: boolean;
  /** All of it; null where the record does not tell that, or tells too much. */
  output: Pick<RecordDocument, "stdout" | "stderr"> | null;
}

export function printedIn({ document, summary }: StoredRecord): Printed {
  const isAny = document.stdout + document.stderr !== "";
  return { isAny, output: summary?.tells_output === true ? document : null };
}

/** Lyceum says when it has stored the results; a record without that, and without any output, may still fill. */
export function isComplete(record: RecordReading): boolean {
  const hasOutput = record.stdout !== null || record.combinedOutput !== null || record.returnCode !== null;
  return record.finishTime !== null || hasOutput;
}

const LONGEST_WORD = 100;
const LONGEST_DETAIL = 1_000;
const LONGEST_LOOKED_AT = 4_000;

function clip(text: string | null | undefined): string | undefined {
  if (text == null || text === "") return undefined;
  return redact(text, [], LONGEST_LOOKED_AT).slice(0, LONGEST_DETAIL);
}
