// How each kind of artifact is read from Lyceum and in which form it is kept.
import { lookBackHours, nextLogRead } from "../domain/collection.ts";
import type { Execution, Reading } from "../domain/execution.ts";
import { type LogEntry, mergeLogs } from "../domain/logs.ts";
import { summarizeMetrics } from "../domain/metrics.ts";
import { isWholeLog } from "../domain/output.ts";
import type { RecordSummary } from "../domain/selection.ts";
import type { RunKind } from "../domain/spec.ts";
import type { LyceumClient, Size } from "../lyceum/client.ts";
import type { ReadOutcome } from "../lyceum/outcome.ts";
import type { MetricsReading, TimingReading } from "../lyceum/reading.ts";
import { readDocument } from "../store/artifacts.ts";
import type { ArtifactKind } from "../store/schema.ts";
import type { Db } from "../store/transaction.ts";
import {
  isComplete,
  lyceumIdOf,
  type Printed,
  readingOfRecord,
  recordDocument,
  storedRecord,
} from "./reading.ts";
import { withoutSecrets } from "./secrets.ts";
import { readSelection, withSubJobs } from "./selection.ts";

/** `againInMs`: what came is worth keeping, and worth reading once more. */
export interface Got {
  outcome: "got";
  document: unknown;
  summary?: unknown;
  /** What the record says of the execution by now. */
  reading?: Reading;
  againInMs: number | null;
}

/** Asking is pointless. */
export interface TooLate {
  outcome: "too_late";
  detail: string;
}

export type Fetched = Got | TooLate | Exclude<ReadOutcome<unknown>, { outcome: "ok" }>;
export interface Subject {
  execution: Execution;
  kind: RunKind;
}

export type Fetch = (of: Subject, tries: number, record: Printed | null, size: Size) => Promise<Fetched>;

export interface LogsSummary {
  entries: number;
  /** Lyceum gives at most 10,000 entries, and has no cursor for the rest. */
  truncated: boolean;
  /** The record proves that nothing is missing, or the log had stopped growing when it was last read. */
  complete: boolean;
}

export interface FetchOptions {
  lyceum: LyceumClient;
  db: Db;
  now: () => number;
  logSpacingMs: number;
}

export function fetchers({ lyceum, db, now, logSpacingMs }: FetchOptions): Record<ArtifactKind, Fetch> {
  return {
    async record({ execution, kind }, tries, _, size) {
      const answer = await lyceum.record(lyceumIdOf(execution), execution.id, "collect", size);
      if (answer.outcome !== "ok") return answer;
      const record = await withoutSecrets(db, execution, answer.value);
      const got = { outcome: "got" as const, document: recordDocument(record) };
      const reading = readingOfRecord(record);
      const again = (isWhole: boolean) => (isWhole || tries >= MOST_RECORD_READS ? null : RECORD_AGAIN_MS);
      if (kind !== "gpu_selection") {
        const stored = storedRecord(record, kind);
        return { ...got, ...stored, reading, againInMs: again(isComplete(record)) };
      }
      const selection = await readSelection(lyceum, db, lyceumIdOf(execution));
      return {
        ...got,
        reading: withSubJobs(reading, selection),
        summary: { gpu_selection: selection.subJobs } satisfies RecordSummary,
        againInMs: again(isComplete(record) && selection.isComplete),
      };
    },

    async timing({ execution }) {
      const answer = await lyceum.timing(lyceumIdOf(execution));
      if (answer.outcome !== "ok") return answer;
      return { outcome: "got", document: timingDocument(answer.value), againInMs: null };
    },

    async metrics({ execution }, _, __, size) {
      const answer = await lyceum.metrics(lyceumIdOf(execution), { size });
      if (answer.outcome !== "ok") return answer;
      const document = metricsDocument(lyceumIdOf(execution), answer.value);
      const summary = summarizeMetrics(answer.value.series);
      return { outcome: "got", document, summary, againInMs: null };
    },

    async logs({ execution }, tries, record, size) {
      const hours = lookBackHours(execution.startedAt ?? execution.submittedAt, now());
      if (hours === null) return { outcome: "too_late", detail: "Lyceum keeps logs for 168 hours" };
      const answer = await lyceum.logs(lyceumIdOf(execution), { limit: MOST_ENTRIES, hours, size });
      if (answer.outcome !== "ok") return answer;
      const known = tries === 0 ? [] : (((await readDocument(db, execution.id, "logs")) ?? []) as LogEntry[]);
      const entries = mergeLogs(known, answer.value.entries);
      const { total } = answer.value;
      const truncated = answer.value.entries.length >= MOST_ENTRIES || (total ?? 0) > entries.length;
      const reads = {
        reads: tries + 1,
        count: entries.length,
        countBefore: known.length,
        expected: record?.isAny === true,
        proven: record?.output != null && !truncated && isWholeLog(entries, record.output),
      };
      // Of an empty log only a record that shows no output either tells that it is not merely late.
      const mayBeLate = entries.length === 0 && (record === null || reads.expected);
      const hasStopped = reads.reads > 1 && entries.length === known.length && !mayBeLate;
      const hasSettled = reads.proven || hasStopped;
      const summary: LogsSummary = { entries: entries.length, truncated, complete: hasSettled && !truncated };
      return { outcome: "got", document: entries, summary, againInMs: nextLogRead(reads, logSpacingMs) };
    },
  };
}

/** Lyceum's own maximum [api-reference/observability--logs/get-execution-logs]. */
const MOST_ENTRIES = 10_000;
const MOST_RECORD_READS = 3;
const RECORD_AGAIN_MS = 2_000;

/** In Lyceum's documented form, names and units as Lyceum gives them. */
function timingDocument({ durations, phases }: TimingReading) {
  const times = Object.entries(phases).map(([name, { startTime, endTime, duration }]) => {
    return [name, { start_time: iso(startTime), end_time: iso(endTime), duration }] as const;
  });
  return { timing: { ...durations, ...(times.length > 0 ? { phases: Object.fromEntries(times) } : {}) } };
}

/** In Lyceum's documented form. */
function metricsDocument(executionId: string, { hostname, startTime, endTime, series }: MetricsReading) {
  const samples = Object.entries(series).map(([name, values]) => {
    return [name, values.map(({ at, value }) => ({ timestamp: iso(at), value }))] as const;
  });
  const timeRange = { start: iso(startTime), end: iso(endTime) };
  return { executionId, hostname, timeRange, ...Object.fromEntries(samples) };
}

function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
