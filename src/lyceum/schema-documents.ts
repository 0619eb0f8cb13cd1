// Schemas of the documents of an execution: timing, metrics and logs.
import { z } from "zod";
import type { LogEntry } from "../domain/logs.ts";
import type { Sample } from "../domain/metrics.ts";
import type { LogsAnswer, MetricsAnswer, TimingAnswer } from "./answer.ts";
import { isObject, readId, readName, readNumber, readTime } from "./lenient-values.ts";
import { field, holdsError, itemsOf } from "./schema-parts.ts";

/**
 * `GET /execution/{id}/timing`: numbers and `phases` in `timing`, or start, end and duration [docs/serverless/runs].
 * An answer with none of these is not there yet.
 */
export const timingAnswer = z.looseObject({}).transform((answer, context): TimingAnswer => {
  const timing = isObject(answer.timing) ? answer.timing : answer;
  const phases = Object.entries(isObject(timing.phases) ? timing.phases : {}).map(([name, phase]) => [
    name,
    { ...spanIn(phase), duration: readNumber(field(phase, "duration")) },
  ]);
  const durations = numbersIn(timing);
  const { startTime, endTime } = spanIn(timing);
  const read = {
    executionId: readId(answer.execution_id),
    startTime: startTime ?? spanIn(answer).startTime,
    endTime: endTime ?? spanIn(answer).endTime,
    durations,
    phases: Object.fromEntries(phases),
  };
  const isEmpty = read.startTime === null && read.endTime === null && phases.length === 0;
  const isError = !isObject(answer.timing) && holdsError(answer);
  if (isError || (isEmpty && Object.keys(durations).length === 0))
    context.addIssue("a duration, a start or an end was due");
  return read;
});

/** [api-reference/observability--gpu-metrics/get-execution-metrics]; camelCase, unlike the rest of the API. */
export const metricsAnswer = z.looseObject({}).transform((answer, context): MetricsAnswer => {
  const lists = Object.entries(answer).filter((entry): entry is [string, unknown[]] =>
    Array.isArray(entry[1]),
  );
  if (lists.length === 0 || holdsError(answer)) context.addIssue("a series was due");
  return {
    executionId: readId(answer.executionId ?? answer.execution_id),
    hostname: readName(answer.hostname),
    startTime: readTime(field(answer.timeRange, "start")),
    endTime: readTime(field(answer.timeRange, "end")),
    series: Object.fromEntries(lists.map(([name, points]) => [name, points.flatMap(readPoint)])),
  };
});

/** [api-reference/observability--logs/get-execution-logs] */
export const logsAnswer = z.unknown().transform((answer, context): LogsAnswer => {
  const entries = itemsOf(answer)?.slice(0, MAX_ENTRIES);
  if (entries) {
    const named = entries.map((entry) => readId(field(entry, "execution_id"))).filter((id) => id !== null);
    return {
      executionIds: [...new Set(named)],
      entries: entries.flatMap(readEntry),
      total: readNumber(field(answer, "total")),
    };
  }
  context.addIssue("a list was due");
  return z.NEVER;
});

const MAX_ENTRIES = 10_000;

function readPoint(point: unknown): Sample[] {
  const at = readTime(field(point, "timestamp"));
  const value = readNumber(field(point, "value"));
  return at === null || value === null ? [] : [{ at, value }];
}

function readEntry(entry: unknown): LogEntry[] {
  const message = field(entry, "message");
  if (typeof message !== "string") return [];
  const labels = Object.entries(isObject(field(entry, "labels")) ? (field(entry, "labels") as object) : {});
  return [
    {
      timestamp: (readName(field(entry, "timestamp")) ?? "").slice(0, MAX_TIMESTAMP),
      message,
      level: readName(field(entry, "level")),
      hostname: readName(field(entry, "hostname")),
      labels: Object.fromEntries(
        labels.filter((label): label is [string, string] => typeof label[1] === "string"),
      ),
    },
  ];
}

/** A longer text is no time. */
const MAX_TIMESTAMP = 64;

function spanIn(value: unknown) {
  const timeIn = (names: string[]) =>
    names.map((name) => readTime(field(value, name))).find((at) => at !== null) ?? null;
  return { startTime: timeIn(startNames), endTime: timeIn(endNames) };
}

const startNames = ["start_time", "startTime", "start", "started_at", "startedAt", "job_start"];
const endNames = ["end_time", "endTime", "end", "ended_at", "endedAt", "job_end"];
const noDurations = new Set([...startNames, ...endNames, "execution_id", "executionId", "id"]);

function numbersIn(object: Record<string, unknown>): Record<string, number> {
  const numbers = Object.entries(object)
    .filter(([name]) => !noDurations.has(name))
    .map(([name, value]) => [name, readNumber(value)] as const);
  return Object.fromEntries(numbers.filter((entry): entry is [string, number] => entry[1] !== null));
}
