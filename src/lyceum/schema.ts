// Lyceum's answers, read tolerantly: only an id and a status are required, extra fields and odd spellings pass.
// Every schema turns an answer into a reading of reading.ts, and with that drops what is not named there.
import { z } from "zod";
import type { LogEntry } from "../domain/logs.ts";
import type { Sample } from "../domain/metrics.ts";
import {
  isObject,
  readId,
  readName,
  readNumber,
  readReturnCode,
  readText,
  readTime,
} from "./lenient-values.ts";
import type {
  EndingReading,
  GpuSelectionReading,
  HistoryReading,
  HistoryRow,
  ListedRow,
  LogsReading,
  MachineType,
  MetricsReading,
  RecordReading,
  StatusReading,
  TimingReading,
} from "./reading.ts";

const id = z.unknown().transform(readId).pipe(z.string());
const name = z.unknown().transform(readName).pipe(z.string());
/** A status is a text: the oldest success envelope carries a number under the same name [introduction, 2025]. */
const word = z
  .string()
  .transform((text) => text.trim())
  .pipe(z.string().min(1));

/** [api-reference/streaming-execution/start-streaming-execution]; a start without an id cannot be read. */
export const startAnswer = z.looseObject({ execution_id: id }).transform((answer) => ({
  executionId: answer.execution_id,
  word: readName(answer.status) ?? "pending",
}));

/** `GET /execution/streaming/{id}/status`: only `status` and `errors` are known. */
export const statusAnswer = z.looseObject({ status: word }).transform(
  (answer): StatusReading => ({
    executionId: readId(answer.execution_id),
    word: answer.status,
    errors: readText(answer.errors),
  }),
);

/**
 * `GET /execution/gpu_selection/{id}/status`: the schema is not documented, so nothing is relied on. The selection itself
 * may stand at the top or as `parent`, its sub-jobs under any of the names below.
 */
export const gpuSelectionAnswer = z.looseObject({}).transform((answer, context): GpuSelectionReading => {
  const parent = isObject(answer.parent) ? answer.parent : answer;
  const lists = [answer, parent].flatMap((part) => subJobLists.map((list) => part[list]));
  const rows = lists.find((list): list is unknown[] => Array.isArray(list));
  const status = [answer.status, parent.status].find((text) => typeof text === "string");
  const executionId = readId(answer.execution_id ?? parent.execution_id);
  if (status === undefined && rows === undefined && executionId === null)
    context.addIssue("a selection was due");
  return { executionId, word: readName(status), subJobs: readable(rows ?? [], subJob) };
});

const subJobLists = ["sub_jobs", "jobs", "children"];

const subJob = z.looseObject({ execution_id: id }).transform((job) => ({
  executionId: job.execution_id,
  word: readName(job.status),
  hardwareProfile: readName(job.hardware_profile),
}));

/** `GET /execution/{id}`; without a schema page: the fields are those that the vendor's dashboard reads. */
export const recordAnswer = z.looseObject({ execution_id: id, status: word }).transform(
  (record): RecordReading => ({
    ...toRow(record),
    stdout: readText(record.stdout),
    stderr: readText(record.stderr),
    combinedOutput: readText(record.combined_output),
    returnCode: readReturnCode(record.return_code),
    result: typeof record.result === "string" ? record.result : null,
    errors: readText([record.errors, record.errors_docker]),
    warnings: readText(record.warnings),
    installLog: readText(record.install_log),
    installReturnCode: readReturnCode(record.install_return_code),
  }),
);

/**
 * `GET /workloads/list`: a bare array or one inside an object; rows without an id or a status are left out. Read by
 * hand: it is asked for often, and a schema takes several times as long for its thousands of rows.
 */
export const workloadsAnswer = listOf((value): ListedRow[] => {
  if (!isObject(value)) return [];
  const executionId = readId(value.execution_id);
  const status = typeof value.status === "string" ? readName(value.status) : null;
  if (executionId === null || status === null) return [];
  const parentExecutionId = readId(value.parent_execution_id);
  const fileName = readName(value.file_name);
  return [{ executionId, word: status, fileName, parentExecutionId, hasEnd: hasEnd(value) }];
});

/** A row without a readable status still tells that Lyceum has the execution, and its times whether it has ended. */
const historyRow = z.looseObject({ execution_id: id, status: word.catch("unsaid") }).transform(toRow);

/** [api-reference/billing-credits/get-execution-history] */
export const historyAnswer = z.unknown().transform((answer, context): HistoryReading => {
  const items = itemsOf(answer);
  const total = readNumber(field(answer, "total_executions"));
  if (items) {
    const read = items.map(by(historyRow));
    const oddAt = read.flatMap((row, place) => (row.length === 0 ? place : []));
    return { rows: read.flat(), count: items.length, oddAt, total };
  }
  context.addIssue("a list was due");
  return z.NEVER;
});

/**
 * `GET /execution/{id}/timing`: an object `timing` of numbers, with an optional object `phases` in it; or start, end and
 * duration beside each other [docs/serverless/runs]. One without any of these is not there yet.
 */
export const timingAnswer = z.looseObject({}).transform((answer, context): TimingReading => {
  const timing = isObject(answer.timing) ? answer.timing : answer;
  const phases = Object.entries(isObject(timing.phases) ? timing.phases : {}).map(([name, phase]) => [
    name,
    { ...spanIn(phase), duration: readNumber(field(phase, "duration")) },
  ]);
  const durations = numbersIn(timing);
  const { startTime, endTime } = spanIn(timing);
  const reading = {
    executionId: readId(answer.execution_id),
    startTime: startTime ?? spanIn(answer).startTime,
    endTime: endTime ?? spanIn(answer).endTime,
    durations,
    phases: Object.fromEntries(phases),
  };
  const isEmpty = reading.startTime === null && reading.endTime === null && phases.length === 0;
  const isError = !isObject(answer.timing) && holdsError(answer);
  if (isError || (isEmpty && Object.keys(durations).length === 0))
    context.addIssue("a duration, a start or an end was due");
  return reading;
});

/** [api-reference/observability--gpu-metrics/get-execution-metrics]; camelCase, unlike the rest of the API. */
export const metricsAnswer = z.looseObject({}).transform((answer, context): MetricsReading => {
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
export const logsAnswer = z.unknown().transform((answer, context): LogsReading => {
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

/** Abort, stop and delete: an object, or no body at all. */
export const endingAnswer = z.unknown().transform((answer, context): EndingReading => {
  const status = field(answer, "status");
  const word = typeof status === "string" ? readName(status) : null;
  const message = readText(field(answer, "message"));
  const isEnding =
    answer === null || (isObject(answer) && (!holdsError(answer) || word !== null || message !== null));
  if (!isEnding) context.addIssue("an ending was due");
  return { word, message };
});

/** `GET /machine-types`: an object holding `machine_types`. */
export const machineTypesAnswer = listOf(
  by(
    z.looseObject({ hardware_profile: name }).transform(
      (type): MachineType => ({
        hardwareProfile: type.hardware_profile,
        pricePerHour: readNumber(type.price_per_hour),
      }),
    ),
  ),
);

/** `GET /user/quotas/available-hardware`: names, or objects with a name as another endpoint has them. */
export const availableHardwareAnswer = listOf((item) => {
  const name = readName(field(item, "hardware_profile") ?? item);
  return name === null ? [] : [name];
});

/** `POST /auth/login` and `/auth/refresh`; `expires_in` in the oldest edition only [introduction]. */
const sessionAnswer = z.looseObject({ access_token: name }).transform((answer) => ({
  access: answer.access_token,
  refresh: readName(answer.refresh_token),
  expiresInS: readNumber(answer.expires_in),
}));

/** The expected answer of each call, by name: no schema can be sent to the thread that reads large bodies. */
export const answers = {
  start: startAnswer,
  status: statusAnswer,
  gpuSelection: gpuSelectionAnswer,
  record: recordAnswer,
  workloads: workloadsAnswer,
  history: historyAnswer,
  timing: timingAnswer,
  metrics: metricsAnswer,
  logs: logsAnswer,
  ending: endingAnswer,
  machineTypes: machineTypesAnswer,
  availableHardware: availableHardwareAnswer,
  session: sessionAnswer,
};

export type AnswerName = keyof typeof answers;
export type Reading<N extends AnswerName> = z.output<(typeof answers)[N]>;

/** JSON values that are taken of each; of the others `MAX_VALUES`, errors included. */
const maxValues: Partial<Record<AnswerName, number>> = {
  workloads: 1_000_000,
  history: 300_000,
  // Twelve series, a sample each 5 s for the ten minutes that a run may take, would be 5,000.
  metrics: 300_000,
  // 10,000 entries are asked for.
  logs: 300_000,
};

const MAX_VALUES = 100_000;

export function maxValuesOf(name: AnswerName | null): number {
  return (name === null ? undefined : maxValues[name]) ?? MAX_VALUES;
}

/** So many are asked for at most. */
const MAX_ENTRIES = 10_000;

/** An error where something else may be due. */
export function holdsError(answer: Record<string, unknown>): boolean {
  return (answer.detail ?? answer.error) != null;
}

const wrappers = ["executions", "data", "workloads", "items", "logs", "machine_types"];

/** The list itself, or the one under a name that Lyceum is known to wrap lists in; null when there is none. */
function itemsOf(answer: unknown): unknown[] | null {
  if (Array.isArray(answer)) return answer;
  const lists = [...wrappers, "available_hardware_profiles"].map((name) => field(answer, name));
  return lists.find((list): list is unknown[] => Array.isArray(list)) ?? null;
}

/** @param read answers an item that can be read, or nothing */
function listOf<T>(read: (item: unknown) => T[]) {
  return z.unknown().transform((answer, context): T[] => {
    const items = itemsOf(answer);
    if (items) return items.flatMap(read);
    context.addIssue("a list was due");
    return z.NEVER;
  });
}

/** The items that can be read: one odd row must not hide the others. */
function readable<T>(items: unknown[], item: z.ZodType<T>): T[] {
  return items.flatMap(by(item));
}

function by<T>(item: z.ZodType<T>) {
  return (value: unknown): T[] => {
    const read = item.safeParse(value);
    return read.success ? [read.data] : [];
  };
}

function toRow(row: Record<string, unknown> & { execution_id: string; status: string }): HistoryRow {
  return {
    executionId: row.execution_id,
    word: row.status,
    fileName: readName(row.file_name),
    hardwareProfile: readName(row.hardware_profile),
    createdAt: readTime(row.created_at),
    execeletStart: readTime(row.execelet_start),
    startTime: readTime(row.start_time ?? row.job_start),
    endTime: readTime(row.end_time ?? row.job_end),
    finishTime: readTime(row.finish_time),
    billed: readNumber(row.billed ?? row.amount_billed ?? row.cost),
    statusDetails: readText(row.status_details),
    parentExecutionId: readId(row.parent_execution_id),
    hasEnd: hasEnd(row),
  };
}

function hasEnd(row: Record<string, unknown>): boolean {
  return [row.end_time, row.job_end, row.finish_time].some((time) => time != null && readTime(time) !== null);
}

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

/** Longer texts are no times. */
const MAX_TIMESTAMP = 64;

/** Start and end in every spelling that was seen. */
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

function field(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}
