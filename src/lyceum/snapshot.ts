// Makes snapshots of executions from status words, rows and records.
import { type Execution, hasEnded, type Snapshot } from "../domain/execution.ts";
import { type Evidence, failureReason } from "../domain/failure-reason.ts";
import { redact } from "../lib/redact.ts";
import type { HistoryRow, ListedRow, RecordAnswer } from "./answer.ts";
import { readId } from "./lenient-values.ts";
import { parseStatus } from "./status-words.ts";

export function snapshotOfWord(word: string, detail?: string | null): Snapshot {
  const { status, raw, timedOut } = parseStatus(word);
  return withReason(
    { status, raw: raw.slice(0, MAX_WORD), timedOut, detail: clip(detail) },
    { platform: [detail] },
  );
}

export function snapshotOfRow(row: HistoryRow & { returnCode?: number | null }): Snapshot {
  const snapshot = snapshotOfWord(row.word, row.statusDetails);
  const isUnknownEnd = snapshot.status === null && isOver(row);
  const ended = isUnknownEnd ? { ...snapshot, ...endOfUnknownWord(snapshot, row.returnCode) } : snapshot;
  return {
    ...withReason(ended, { returnCode: row.returnCode, platform: [row.statusDetails] }),
    startedAt: row.startTime ?? row.execeletStart ?? undefined,
    endedAt: row.endTime ?? row.finishTime ?? undefined,
    cost: row.billed ?? undefined,
    hardware: row.hardwareProfile ?? undefined,
  };
}

export function snapshotOfRecord(record: RecordAnswer): Snapshot {
  const snapshot = snapshotOfRow(record);
  const detail = clip(record.errors) ?? snapshot.detail;
  return withReason({ ...snapshot, returnCode: record.returnCode ?? undefined, detail }, evidenceIn(record));
}

function evidenceIn(record: RecordAnswer): Evidence {
  const { returnCode, statusDetails, errors, stdout, stderr, combinedOutput, installLog } = record;
  const isInstalled = record.installReturnCode === null || record.installReturnCode === 0;
  return {
    returnCode,
    platform: [statusDetails, errors],
    output: [stderr, stdout ?? combinedOutput, ...(isInstalled ? [] : [installLog])],
  };
}

/** Only a failed end has a reason: a live execution may survive the errors in its output. */
function withReason(snapshot: Snapshot, evidence: Evidence): Snapshot {
  const { status } = snapshot;
  const isFailure = status === "failed" || status === "system_failure" || status === "aborted";
  return isFailure ? { ...snapshot, reason: failureReason(evidence) } : snapshot;
}

/** By the status word or, if that is unknown, by end time and return code. */
export function isOver(row: Pick<ListedRow, "word" | "hasEnd"> & { returnCode?: number | null }): boolean {
  const { status } = parseStatus(row.word);
  if (status !== null) return hasEnded(status);
  // "Finishing" may become "completed": its return code is still to come.
  const isUnderWay = /ing$/i.test(row.word.slice(-MAX_WORD).trim()) && row.returnCode == null;
  return row.hasEnd && !isUnderWay;
}

/** An end under an unknown status word: the return code tells success, and the detail names the word. */
function endOfUnknownWord(
  { raw, detail }: Snapshot,
  returnCode: number | null | undefined,
): Partial<Snapshot> {
  if (returnCode === 0) return { status: "completed" };
  return { status: "failed", detail: detail ?? `it ended under the word "${raw}"` };
}

/** False for ids that no path can carry, which former versions accepted. */
export function isUsableId(lyceumExecutionId: string): boolean {
  return readId(lyceumExecutionId) === lyceumExecutionId;
}

export function lyceumIdOf({ id, lyceumExecutionId }: Execution): string {
  if (lyceumExecutionId === null) throw new Error(`execution ${id} has no id at Lyceum`);
  return lyceumExecutionId;
}

/** True once Lyceum has stored the results. A record without finish time and output may still be filled. */
export function isComplete(record: RecordAnswer): boolean {
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
