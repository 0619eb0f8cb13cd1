// From Lyceum's record to what the state machine reads, and to the artifact that is kept of it.

import { type Execution, hasEnded, type Snapshot } from "../../domain/execution.ts";
import { type Evidence, failureReason } from "../../domain/failure-reason.ts";
import type { RecordSummary } from "../../domain/gpu-selection.ts";
import { printedOf, tellsOutput } from "../../domain/output.ts";
import type { RunKind } from "../../domain/spec.ts";
import { redact } from "../../lyceum/error-detail.ts";
import { readId } from "../../lyceum/lenient-values.ts";
import type { HistoryRow, ListedRow, RecordReading } from "../../lyceum/reading.ts";
import { parseStatus } from "../../lyceum/status-words.ts";

/** Of a row of a list: the word and little more. */
export function readingOfWord(word: string, detail?: string | null): Snapshot {
  const { status, raw, timedOut } = parseStatus(word);
  return withReason(
    { status, raw: raw.slice(0, MAX_WORD), timedOut, detail: clip(detail) },
    { platform: [detail] },
  );
}

export function readingOfRow(row: HistoryRow & { returnCode?: number | null }): Snapshot {
  const reading = readingOfWord(row.word, row.statusDetails);
  const isOdd = reading.status === null && isOver(row);
  const ended = isOdd ? { ...reading, ...endUnder(reading, row.returnCode) } : reading;
  return {
    ...withReason(ended, { returnCode: row.returnCode, platform: [row.statusDetails] }),
    startedAt: row.startTime ?? row.execeletStart ?? undefined,
    endedAt: row.endTime ?? row.finishTime ?? undefined,
    cost: row.billed ?? undefined,
    hardware: row.hardwareProfile ?? undefined,
  };
}

export function readingOfRecord(record: RecordReading): Snapshot {
  const reading = readingOfRow(record);
  const detail = clip(record.errors) ?? reading.detail;
  return withReason({ ...reading, returnCode: record.returnCode ?? undefined, detail }, evidenceIn(record));
}

function evidenceIn(record: RecordReading): Evidence {
  const { returnCode, statusDetails, errors, stdout, stderr, combinedOutput, installLog } = record;
  const isInstalled = record.installReturnCode === null || record.installReturnCode === 0;
  return {
    returnCode,
    platform: [statusDetails, errors],
    output: [stderr, stdout ?? combinedOutput, ...(isInstalled ? [] : [installLog])],
  };
}

/** A reason belongs to an end without success; a live execution may still survive what it printed. */
function withReason(reading: Snapshot, evidence: Evidence): Snapshot {
  const { status } = reading;
  const isFailure = status === "failed" || status === "system_failure" || status === "aborted";
  return isFailure ? { ...reading, reason: failureReason(evidence) } : reading;
}

/** Ended by its word; or under a word that is not known, by the times and the return code that only an end has. */
export function isOver(row: Pick<ListedRow, "word" | "hasEnd"> & { returnCode?: number | null }): boolean {
  const { status } = parseStatus(row.word);
  if (status !== null) return hasEnded(status);
  // "Finishing" may become "completed": its return code is still to come.
  const isUnderWay = /ing$/i.test(row.word.slice(-MAX_WORD).trim()) && row.returnCode == null;
  return row.hasEnd && !isUnderWay;
}

/** An end under a word that is not known: the return code tells of success, and the word stands in the detail. */
function endUnder({ raw, detail }: Snapshot, returnCode: number | null | undefined): Partial<Snapshot> {
  if (returnCode === 0) return { status: "completed" };
  return { status: "failed", detail: detail ?? `it ended under the word "${raw}"` };
}

/** Former builds took ids that no path can carry. */
export function isUsableId(lyceumExecutionId: string): boolean {
  return readId(lyceumExecutionId) === lyceumExecutionId;
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

export function storedRecord(record: RecordReading, kind: RunKind) {
  const document = recordDocument(record);
  const length = document.stdout.length + document.stderr.length;
  const showsOutput = length <= MAX_COMPARED;
  const tellsAll = showsOutput && tellsOutput(record, kind);
  const summary: RecordSummary = {
    tells_output: tellsAll,
    shows_output: showsOutput,
    has_output: length > 0,
  };
  return { document, summary };
}

/** More than this is not compared with the log, which may end before it. */
const MAX_COMPARED = 256 * 1024;

/** By what a log is judged. */
export interface Printed {
  isAny: boolean;
  /** The output that the log must have; null if the output is unknown, or too large to compare. */
  output: Pick<RecordDocument, "stdout" | "stderr"> | null;
  /** The output is all that there is. */
  isAll: boolean;
}

export function printedIn({ document, summary }: StoredRecord): Printed {
  const isAny = document.stdout + document.stderr !== "";
  const isAll = summary?.tells_output === true;
  return { isAny, isAll, output: isAll || summary?.shows_output === true ? document : null };
}

/** Lyceum says when it has stored the results; a record without that, and without any output, may still fill. */
export function isComplete(record: RecordReading): boolean {
  const hasOutput = record.stdout !== null || record.combinedOutput !== null || record.returnCode !== null;
  return record.finishTime !== null || hasOutput;
}

const MAX_WORD = 100;
const MAX_DETAIL = 1_000;
const MAX_LOOKED_AT = 4_000;

function clip(text: string | null | undefined): string | undefined {
  if (text == null || text === "") return undefined;
  return redact(text, [], MAX_LOOKED_AT).slice(0, MAX_DETAIL);
}
