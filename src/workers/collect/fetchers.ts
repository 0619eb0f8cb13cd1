// Fetches each kind of artifact from Lyceum, in its stored form.
import { type LogStanding, lookBackHours, metricsStep, nextLogRead } from "../../domain/collection.ts";
import { type Execution, neverRan, type Snapshot } from "../../domain/execution.ts";
import type { RecordSummary } from "../../domain/gpu-selection.ts";
import { type LogEntry, mergeLogs } from "../../domain/logs.ts";
import { reachesEnd, summarizeMetrics } from "../../domain/metrics.ts";
import { compareLog } from "../../domain/output.ts";
import { lacksBill } from "../../domain/snapshot-merge.ts";
import type { RunKind } from "../../domain/spec.ts";
import type { LyceumClient, Size } from "../../lyceum/client.ts";
import type { ReadOutcome } from "../../lyceum/outcome.ts";
import { isComplete, lyceumIdOf, snapshotOfRecord } from "../../lyceum/snapshot.ts";
import { type ArtifactState, readDocument } from "../../store/artifacts.ts";
import type { ArtifactKind } from "../../store/db/schema.ts";
import type { Db } from "../../store/db/transaction.ts";
import { withoutSecrets } from "../redact-record.ts";
import { type Bills, withFreeHardware } from "./bills.ts";
import { metricsDocument, timingDocument } from "./documents.ts";
import { readSelection, withSubJobs } from "./gpu-selection.ts";
import { type Printed, printedIn, type StoredRecord, storedRecord } from "./record-artifact.ts";

export interface Got {
  type: "got";
  document: unknown;
  summary?: unknown;
  snapshot?: Snapshot;
  /** Null: the document is final. */
  againInMs: number | null;
}

export type Fetched =
  | Got
  | { type: "empty"; detail: string }
  | { type: "pointless"; detail: string }
  | Exclude<ReadOutcome<unknown>, { type: "ok" }>;

export interface Subject {
  execution: Execution;
  kind: RunKind;
}

export type Wanted = Pick<ArtifactState, "kind" | "tries" | "first_tried_at" | "fetched_at" | "summary">;
export interface Known {
  execution: Execution;
  printed: Printed | null;
}

export function knownBy({ execution }: Subject, record: StoredRecord | null): Known {
  return { execution, printed: record === null ? null : printedIn(record) };
}

export function untried(kind: ArtifactKind): Wanted {
  return { kind, tries: 0, first_tried_at: null, fetched_at: null, summary: null };
}

/** @param known awaited after the call: an early fetch learns of the record while the call is under way */
export type Fetcher = (
  subject: Subject,
  artifact: Wanted,
  known: Known | Promise<Known>,
  size: Size,
) => Promise<Fetched>;

export interface LogsSummary {
  entries: number;
  /** Lyceum gives at most 10,000 entries, and has no cursor for the rest. */
  truncated: boolean;
  /** The record proves the log whole, or cannot judge the log, which had stopped growing. */
  complete: boolean;
}

export interface FetchOptions {
  lyceum: LyceumClient;
  db: Db;
  now: () => number;
  logSpacingMs: number;
  /** A record without its bill is read again after this. */
  billAfterMs: number;
  bills: Bills;
}

export function fetchers({
  lyceum,
  db,
  now,
  logSpacingMs,
  billAfterMs,
  bills,
}: FetchOptions): Record<ArtifactKind, Fetcher> {
  return {
    async record({ execution, kind }, { tries, summary: known }, _, size) {
      const answer = await lyceum.record(lyceumIdOf(execution), execution.id, "collect", size);
      if (answer.type !== "ok") return answer;
      const record = await withoutSecrets(db, execution, answer.value);
      const before = known as RecordSummary | null;
      const selection =
        kind === "gpu_selection"
          ? await readSelection(lyceum, db, execution, before?.gpu_selection ?? [])
          : null;
      const read = withSubJobs(snapshotOfRecord(record), selection?.subJobs ?? []);
      const stored = storedRecord(record, kind);
      if (selection !== null) Object.assign(stored.summary, { gpu_selection: selection.subJobs });
      const isWhole = isComplete(record) && (selection?.isComplete ?? true);
      if (!isWhole && tries < MAX_RECORD_READS)
        return { type: "got", ...stored, snapshot: read, againInMs: RECORD_AGAIN_MS };
      const isLastRead = before?.awaits_bill === true;
      const snapshot = isLastRead
        ? await bills.complete(execution, read)
        : await withFreeHardware(db, execution, read);
      if (isLastRead || !lacksBill(execution, snapshot))
        return { type: "got", ...stored, snapshot, againInMs: null };
      const summary = { ...stored.summary, awaits_bill: true } satisfies RecordSummary;
      return { type: "got", ...stored, summary, snapshot, againInMs: billAfterMs };
    },

    async timing({ execution }) {
      const answer = await lyceum.timing(lyceumIdOf(execution));
      if (answer.type !== "ok") return answer;
      return { type: "got", document: timingDocument(answer.value), againInMs: null };
    },

    async metrics(subject, artifact, known, size) {
      const step = metricsStep(spanOf(subject.execution, now()));
      const answer = await lyceum.metrics(lyceumIdOf(subject.execution), { step: step.name, size });
      if (answer.type !== "ok") return answer;
      const { execution } = await known;
      const { series } = answer.value;
      if (Object.values(series).every((samples) => samples.length === 0)) {
        const detail = "Lyceum has no sample of any series";
        return { type: neverRan(execution) ? "pointless" : "empty", detail };
      }
      const isFirst = artifact.fetched_at === null;
      return {
        type: "got",
        document: metricsDocument(lyceumIdOf(execution), answer.value),
        summary: summarizeMetrics(series),
        againInMs: isFirst && !reachesEnd(series, execution, step.ms) ? step.ms : null,
      };
    },

    async logs({ execution }, { tries, fetched_at }, known, size) {
      const hours = lookBackHours(execution.startedAt ?? execution.submittedAt, now());
      if (hours === null) return { type: "pointless", detail: "Lyceum keeps logs for 168 hours" };
      const answer = await lyceum.logs(lyceumIdOf(execution), { limit: MAX_ENTRIES, hours, size });
      if (answer.type !== "ok") return answer;
      const { printed } = await known;
      const earlier =
        fetched_at === null ? [] : (((await readDocument(db, execution.id, "logs")) ?? []) as LogEntry[]);
      const entries = mergeLogs(earlier, answer.value.entries);
      const { total } = answer.value;
      // A full log stays as it is: Lyceum gives no more entries.
      const isFull = answer.value.entries.length >= MAX_ENTRIES;
      const truncated = isFull || (total ?? 0) > entries.length;
      const hasGrown = entries.length > earlier.length;
      const judged = standingOf(entries, printed);
      const standing = isFull || (truncated && judged === "whole") ? "unjudged" : judged;
      const againInMs = nextLogRead({ reads: tries + 1, hasGrown, standing }, logSpacingMs);
      const hasStopped = tries > 0 && !hasGrown && standing === "unjudged";
      const complete = !truncated && (standing === "whole" || hasStopped);
      const summary: LogsSummary = { entries: entries.length, truncated, complete };
      return { type: "got", document: entries, summary, againInMs };
    },
  };
}

function spanOf({ startedAt, endedAt, submittedAt }: Execution, now: number): number {
  return (endedAt ?? now) - (startedAt ?? submittedAt);
}

/** A part of the output proves that a log lacks lines, but not that the log is whole. Without a record: lacking. */
function standingOf(entries: LogEntry[], printed: Printed | null): LogStanding {
  if (printed === null) return "lacking";
  const standing = printed.output === null ? "unjudged" : compareLog(entries, printed.output);
  if (standing === "lacking" || printed.isAll) return standing;
  return entries.length === 0 && printed.isAny ? "lacking" : "unjudged";
}

/** Lyceum's own maximum [api-reference/observability--logs/get-execution-logs]. */
const MAX_ENTRIES = 10_000;
const MAX_RECORD_READS = 3;
const RECORD_AGAIN_MS = 2_000;
