// Confirm: what Lyceum says of one execution. Its record decides, and is the artifact when it tells of the end.
import PQueue from "p-queue";
import { type DetectedBy, type Execution, hasEnded, type Snapshot } from "../../domain/execution.ts";
import { lacksBill, mergeSnapshot } from "../../domain/snapshot-merge.ts";
import type { RunKind } from "../../domain/spec.ts";
import type { LyceumClient } from "../../lyceum/client.ts";
import type { ReadOutcome } from "../../lyceum/outcome.ts";
import type { Priority } from "../../lyceum/priorities.ts";
import type { RecordReading } from "../../lyceum/reading.ts";
import type { Context } from "../../orchestration/context.ts";
import { saveRecord } from "../../orchestration/save-artifacts.ts";
import type { DueExecution } from "../../store/execution-claims.ts";
import { withFreeHardware } from "../collect/bills.ts";
import type { Collect } from "../collect/collect.ts";
import {
  isComplete,
  isOver,
  isUsableId,
  lyceumIdOf,
  readingOfRecord,
  readingOfWord,
  storedRecord,
} from "../collect/record-artifact.ts";
import { withoutSecrets } from "../redact-record.ts";
import type { KnownIds } from "./known-ids.ts";
import type { FactRecorder } from "./record-fact.ts";

export interface RecordReaderOptions {
  lyceum: LyceumClient;
  now: () => number;
  notes: FactRecorder;
  /** Fetches what belongs to an end. */
  collect: Pick<Collect, "begin">;
  own: KnownIds;
}

export interface Look {
  by: DetectedBy;
  /** Lyceum has just answered an abort that there is nothing to end. */
  isBeyondAbort?: boolean;
  /** It has just been read. */
  record?: ReadOutcome<RecordReading>;
}

/**
 * `alive`, `over`: by the record. `silent`: nothing of Lyceum's came. `absent`: Lyceum does not know the id, or has
 * somebody else's record under it: the execution is to be searched for. `barred`: Lyceum does not say.
 */
export type RecordState = "alive" | "over" | "noted" | "silent" | "absent" | "barred";

export type ReadRecord = (one: DueExecution, look: Look) => Promise<RecordState>;

export function createRecordReader(context: Context, options: RecordReaderOptions): ReadRecord {
  const { lyceum, now, notes, collect, own } = options;
  const { note, unanswered } = notes;
  /** Count of records in a row that were another run's, by our ids. */
  const foreign = new Map<string, number>();
  const large = new PQueue({ concurrency: 1 });

  /** The record decides; where there is none (yet), or none that can be had, the status endpoint. */
  async function confirm(one: DueExecution, look: Look): Promise<RecordState> {
    const { execution } = one;
    if (!isUsableId(lyceumIdOf(execution))) return "absent";
    const askedAt = now();
    const lane = look.by === "callback" ? "confirm" : "overdue";
    const record = look.record ?? (await lyceum.record(lyceumIdOf(execution), execution.id, lane));
    const word = record.type === "ok" ? record.value.word : null;
    const cause = look.by === "callback" ? "callback" : "overdue";
    context.report.check({ executionId: execution.id, cause, word });
    if (record.type === "ok") {
      foreign.delete(execution.id);
      own.note(execution);
      const shown = await withoutSecrets(context.store.db, execution, record.value);
      await keep(one, shown, look, askedAt);
      return isOver(shown) ? "over" : "alive";
    }
    if (record.type === "unreadable" && record.isForeign === true) {
      own.forget(execution);
      // The status endpoint would tell of somebody else's execution, too.
      if (isOften(execution)) return "absent";
      await unanswered(execution, record);
      return "noted";
    }
    foreign.delete(execution.id);
    if (!["missing", "refused", "unreadable"].includes(record.type)) {
      await unanswered(execution, record);
      return "silent";
    }
    const status = await statusOf(execution, one.kind, lane);
    if (status.type === "ok") {
      const snapshot = readingOfWord(status.value.word, status.value.errors);
      // A status names nobody: under an id that was never seen to be the execution's own, its end may be another's.
      const isTooLarge = record.type === "unreadable" && record.isTooLarge;
      if (snapshot.status !== null && hasEnded(snapshot.status) && !isTooLarge && !own.has(execution))
        return "barred";
      const told = isTooLarge && isFailure(snapshot) ? await largeReading(execution, lane) : null;
      await note(execution, { ...factOf(look), snapshot: told ?? snapshot, askedAt });
      return "noted";
    }
    if (status.type === "missing" && record.type === "missing") return "absent";
    if (status.type === "missing" || status.type === "refused") return "barred";
    await unanswered(execution, status);
    return "silent";
  }

  /**
   * A retry is decided with the end, and the output may hold its reason. Null: the record cannot be had, or does not
   * tell of an end. One at a time: more would not fit in memory.
   */
  async function largeReading(execution: Execution, lane: Priority): Promise<Snapshot | null> {
    return large.add(async () => {
      const record = await lyceum.record(lyceumIdOf(execution), execution.id, lane, "large");
      if (record.type !== "ok" || !isOver(record.value)) return null;
      return readingOfRecord(await withoutSecrets(context.store.db, execution, record.value));
    });
  }

  function isOften({ id }: Execution): boolean {
    const times = (foreign.get(id) ?? 0) + 1;
    if (foreign.size > MAX_REMEMBERED) foreign.clear();
    foreign.set(id, times);
    return times >= ENOUGH;
  }

  async function statusOf({ lyceumExecutionId }: Execution, kind: RunKind, lane: Priority) {
    const id = lyceumExecutionId ?? "";
    if (kind !== "gpu_selection") return lyceum.streamingStatus(id, lane);
    const status = await lyceum.gpuSelectionStatus(id, lane);
    if (status.type !== "ok") return status;
    const { word } = status.value;
    if (word === null)
      return { type: "unreadable", detail: "a selection without a status", isTooLarge: false } as const;
    return { type: "ok", value: { word, errors: null } } as const;
  }

  async function keep(of: DueExecution, record: RecordReading, look: Look, askedAt: number): Promise<void> {
    const { by, isBeyondAbort = false } = look;
    // The record that told of the end is the artifact: no second request for it. To that of a GPU selection belong
    // its sub-jobs, which are still to be read.
    const isWhole = isComplete(record) && of.kind !== "gpu_selection";
    const reading = await withFreeHardware(context.store.db, of.execution, readingOfRecord(record));
    const stored = isWhole ? storedRecord(record, of.kind) : null;
    const awaits_bill = lacksBill(of.execution, reading);
    const kept = stored && awaits_bill ? { ...stored, summary: { ...stored.summary, awaits_bill } } : stored;
    const execution = { ...of.execution, ...mergeSnapshot(of.execution, reading) };
    const status = reading.status ?? execution.status;
    const isToCollect = of.execution.phase === "watching" && isOver(record);
    const begun = isToCollect ? collect.begin({ ...of, execution: { ...execution, status } }, kept) : null;
    let heldUntil: number | null = null;
    try {
      const holdUntil = (now: number) => begun?.holdUntil(now) ?? null;
      const executionId = of.execution.id;
      heldUntil = await saveRecord(context, {
        executionId,
        snapshot: reading,
        by,
        isBeyondAbort,
        askedAt,
        record: kept,
        holdUntil,
      });
    } finally {
      begun?.ended(heldUntil);
    }
  }

  return confirm;
}

function isFailure({ status }: Snapshot): boolean {
  return status === "failed" || status === "system_failure";
}

function factOf({ by, isBeyondAbort = false }: Look) {
  return { type: "reading", by, isBeyondAbort } as const;
}

/** Records of somebody else in a row before the execution is searched for by its marker. */
const ENOUGH = 3;
const MAX_REMEMBERED = 10_000;
