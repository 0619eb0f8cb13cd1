// Schemas of Lyceum's answers about executions: status, GPU selection, record, list and history.
import { z } from "zod";
import type {
  GpuSelectionAnswer,
  HistoryAnswer,
  HistoryRow,
  ListedRow,
  RecordAnswer,
  StatusAnswer,
} from "./answer.ts";
import {
  isObject,
  readId,
  readName,
  readNumber,
  readReturnCode,
  readText,
  readTime,
} from "./lenient-values.ts";
import { by, field, id, itemsOf, listOf, readable, word } from "./schema-parts.ts";

/** `GET /execution/streaming/{id}/status`: only `status` and `errors` are known. */
export const statusAnswer = z.looseObject({ status: word }).transform(
  (answer): StatusAnswer => ({
    executionId: readId(answer.execution_id),
    word: answer.status,
    errors: readText(answer.errors),
  }),
);

/**
 * `GET /execution/gpu_selection/{id}/status` is not documented: the selection may stand at the top or under `parent`.
 */
export const gpuSelectionAnswer = z.looseObject({}).transform((answer, context): GpuSelectionAnswer => {
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

/** `GET /execution/{id}` has no schema page: these are the fields that the vendor's dashboard reads. */
export const recordAnswer = z.looseObject({ execution_id: id, status: word }).transform(
  (record): RecordAnswer => ({
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

/** `GET /workloads/list`: an array, bare or in an object. Parsed by hand: a schema takes several times as long. */
export const workloadsAnswer = listOf((value): ListedRow[] => {
  if (!isObject(value)) return [];
  const executionId = readId(value.execution_id);
  const status = typeof value.status === "string" ? readName(value.status) : null;
  if (executionId === null || status === null) return [];
  const parentExecutionId = readId(value.parent_execution_id);
  const fileName = readName(value.file_name);
  return [{ executionId, word: status, fileName, parentExecutionId, hasEnd: hasEnd(value) }];
});

/** A row without a readable status still shows that Lyceum has the execution, and by its times if it has ended. */
const historyRow = z.looseObject({ execution_id: id, status: word.catch("unreadReply") }).transform(toRow);

/** [api-reference/billing-credits/get-execution-history] */
export const historyAnswer = z.unknown().transform((answer, context): HistoryAnswer => {
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
