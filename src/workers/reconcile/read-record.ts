// Reads one execution's record. The record decides, and is stored as an artifact if it shows the end.
import PQueue from "p-queue";
import { type DetectedBy, type Execution, hasEnded, type Snapshot } from "../../domain/execution.ts";
import { lacksBill, mergeSnapshot } from "../../domain/snapshot-merge.ts";
import type { RunKind } from "../../domain/spec.ts";
import { forExecution } from "../../lib/subject.ts";
import type { RecordAnswer } from "../../lyceum/answer.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import type { ReadOutcome } from "../../lyceum/outcome.ts";
import type { Priority } from "../../lyceum/priorities.ts";
import {
  isComplete,
  isOver,
  isUsableId,
  lyceumIdOf,
  snapshotOfRecord,
  snapshotOfWord,
} from "../../lyceum/snapshot.ts";
import type { Context } from "../../orchestration/context.ts";
import { saveRecord } from "../../orchestration/save-artifacts.ts";
import type { DueExecution } from "../../store/execution-claims.ts";
import { withFreeHardware } from "../collect/bills.ts";
import type { Collect } from "../collect/collect.ts";
import type { EarlyFetch } from "../collect/early-fetch.ts";
import { storedRecord } from "../collect/record-artifact.ts";
import { withoutSecrets } from "../redact-record.ts";
import type { KnownIds } from "./known-ids.ts";
import type { FactRecorder } from "./record-fact.ts";

export type RecordCollect = Pick<Collect, "fetchEarly" | "recordChange" | "leaseFrom" | "handOver">;

export interface RecordReaderOptions {
  lyceum: LyceumClient;
  now: () => number;
  recorder: FactRecorder;
  collect: RecordCollect;
  knownIds: KnownIds;
}

export interface ReadOptions {
  by: DetectedBy;
  /** Lyceum has just answered that there is nothing to end. */
  isBeyondAbort?: boolean;
  /** Present if the record has just been read. */
  record?: ReadOutcome<RecordAnswer>;
}

/**
 * `recorded`: a fact was recorded without a record. `absent`: Lyceum does not know the id, or has another execution's
 * record under it: search for the execution. `barred`: Lyceum does not say.
 */
export type RecordState = "alive" | "over" | "recorded" | "silent" | "absent" | "barred";

export type ReadRecord = (due: DueExecution, options: ReadOptions) => Promise<RecordState>;

export function createRecordReader(context: Context, options: RecordReaderOptions): ReadRecord {
  const { lyceum, now, recorder, collect, knownIds } = options;
  const { record: recordFact, recordUnanswered } = recorder;
  /** In a row, by our ids. */
  const foreignReads = new Map<string, number>();
  const large = new PQueue({ concurrency: 1 });

  /** Without a readable record the status endpoint decides. */
  async function readRecord(due: DueExecution, read: ReadOptions): Promise<RecordState> {
    if (!isUsableId(lyceumIdOf(due.execution))) return "absent";
    const early =
      read.by === "callback" && due.execution.phase === "watching" ? collect.fetchEarly(due) : null;
    try {
      return await readAndRecord(due, read, early);
    } finally {
      early?.learn(due, null);
    }
  }

  async function readAndRecord(
    due: DueExecution,
    read: ReadOptions,
    early: EarlyFetch | null,
  ): Promise<RecordState> {
    const { execution } = due;
    const askedAt = now();
    const priority = read.by === "callback" ? "confirm" : "overdue";
    const record = read.record ?? (await lyceum.record(lyceumIdOf(execution), execution.id, priority));
    const word = record.type === "ok" ? record.value.word : null;
    const cause = read.by === "callback" ? "callback" : "overdue";
    context.report.check({ executionId: execution.id, jobId: execution.jobId, cause, word });
    if (record.type === "ok") {
      foreignReads.delete(execution.id);
      knownIds.add(execution);
      const redacted = await withoutSecrets(context.store.db, execution, record.value);
      await keep(due, redacted, read, askedAt, early);
      return isOver(redacted) ? "over" : "alive";
    }
    if (record.type === "unreadable" && record.isForeign === true) {
      knownIds.forget(execution);
      // The status endpoint would tell of the other execution, too.
      if (isForeignAgain(execution)) return "absent";
      await recordUnanswered(execution, record);
      return "recorded";
    }
    foreignReads.delete(execution.id);
    if (!["missing", "refused", "unreadable"].includes(record.type)) {
      await recordUnanswered(execution, record);
      return "silent";
    }
    const status = await readStatus(execution, due.kind, priority);
    if (status.type === "ok") {
      const snapshot = snapshotOfWord(status.value.word, status.value.errors);
      // A status names no execution: under an id that is not known as ours, the end may be another execution's.
      const isTooLarge = record.type === "unreadable" && record.isTooLarge;
      if (snapshot.status !== null && hasEnded(snapshot.status) && !isTooLarge && !knownIds.has(execution))
        return "barred";
      const full = isTooLarge && isFailure(snapshot) ? await readLarge(execution, priority) : null;
      await recordFact(execution, { ...factOf(read), snapshot: full ?? snapshot, askedAt });
      return "recorded";
    }
    if (status.type === "missing" && record.type === "missing") return "absent";
    if (status.type === "missing" || status.type === "refused") return "barred";
    await recordUnanswered(execution, status);
    return "silent";
  }

  /** The retry is decided with the end, and the output may show the reason. Null: unavailable, or no end. */
  async function readLarge(execution: Execution, priority: Priority): Promise<Snapshot | null> {
    return large.add(async () => {
      const record = await lyceum.record(lyceumIdOf(execution), execution.id, priority, "large");
      if (record.type !== "ok" || !isOver(record.value)) return null;
      return snapshotOfRecord(await withoutSecrets(context.store.db, execution, record.value));
    });
  }

  function isForeignAgain({ id }: Execution): boolean {
    const reads = (foreignReads.get(id) ?? 0) + 1;
    if (foreignReads.size > MAX_REMEMBERED) foreignReads.clear();
    foreignReads.set(id, reads);
    return reads >= MIN_FOREIGN_READS;
  }

  async function readStatus({ lyceumExecutionId }: Execution, kind: RunKind, priority: Priority) {
    const id = lyceumExecutionId ?? "";
    if (kind !== "gpu_selection") return lyceum.streamingStatus(id, priority);
    const status = await lyceum.gpuSelectionStatus(id, priority);
    if (status.type !== "ok") return status;
    const { word } = status.value;
    if (word === null)
      return { type: "unreadable", detail: "a selection without a status", isTooLarge: false } as const;
    return { type: "ok", value: { word, errors: null } } as const;
  }

  async function keep(
    due: DueExecution,
    record: RecordAnswer,
    read: ReadOptions,
    askedAt: number,
    early: EarlyFetch | null,
  ): Promise<void> {
    const { by, isBeyondAbort = false } = read;
    // A record that shows the end is the artifact and is not fetched again. A GPU selection's record lacks its sub-jobs.
    const isWhole = isComplete(record) && due.kind !== "gpu_selection";
    const snapshot = await withFreeHardware(context.store.db, due.execution, snapshotOfRecord(record));
    const stored = isWhole ? storedRecord(record, due.kind) : null;
    const awaits_bill = lacksBill(due.execution, snapshot);
    const kept = stored && awaits_bill ? { ...stored, summary: { ...stored.summary, awaits_bill } } : stored;
    const execution = { ...due.execution, ...mergeSnapshot(due.execution, snapshot) };
    const status = snapshot.status ?? execution.status;
    const isToCollect = due.execution.phase === "watching" && isOver(record);
    const ended = { ...due, execution: { ...execution, status } };
    early?.learn(ended, kept);
    const others = isToCollect && kept !== null ? ((await early?.changesSoon()) ?? []) : [];
    const artifacts = kept === null ? [] : [collect.recordChange(kept, askedAt, others), ...others];
    const holdUntil = (now: number) => (isToCollect ? collect.leaseFrom(now, early) : null);
    const executionId = due.execution.id;
    const leaseUntil = await saveRecord(context, {
      executionId,
      snapshot,
      by,
      isBeyondAbort,
      askedAt,
      artifacts,
      holdUntil,
    });
    if (leaseUntil !== null) collect.handOver(ended, leaseUntil, kept, early);
  }

  return (due, read) => forExecution(due.execution, () => readRecord(due, read));
}

function isFailure({ status }: Snapshot): boolean {
  return status === "failed" || status === "system_failure";
}

function factOf({ by, isBeyondAbort = false }: ReadOptions) {
  return { type: "snapshot", by, isBeyondAbort } as const;
}

/** In a row, before the execution is searched for by its marker. */
const MIN_FOREIGN_READS = 3;
const MAX_REMEMBERED = 10_000;
