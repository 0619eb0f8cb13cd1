// A job's results as rows, and as CSV (RFC 4180) with one column per name of the matrix.
import { stringify } from "csv-stringify/sync";
import type { ResultRow } from "../../contract/results.ts";
import type { RunView } from "../../contract/run.ts";

/** The last attempt, with the cost of all attempts. */
export function viewResult(run: RunView): ResultRow {
  return {
    run_id: run.id,
    position: run.position,
    name: run.name,
    matrix: run.matrix,
    status: run.status,
    attempts: run.attempts,
    return_code: run.return_code,
    duration_ms: run.duration_ms,
    cost: run.cost,
    cost_source: run.cost_source,
    hardware: run.hardware,
    gpu_utilization_percent: run.gpu?.utilization_percent?.mean ?? null,
    gpu_idle_share: run.gpu?.idle_share ?? null,
    energy_wh: run.gpu?.energy_wh ?? null,
    error_code: run.error?.code ?? null,
    error_reason: run.error?.reason ?? null,
    retry_of: run.retry_of,
    outcome: run.outcome,
  };
}

const before = ["run_id", "position", "name"] as const;
const after = [
  "status",
  "attempts",
  "return_code",
  "duration_ms",
  "cost",
  "cost_source",
  "hardware",
  "gpu_utilization_percent",
  "gpu_idle_share",
  "energy_wh",
  "error_code",
  "error_reason",
  "retry_of",
  "outcome",
] as const;
const fixed: readonly string[] = [...before, ...after];

export function csvHeader(matrixNames: string[]): string {
  // A name of the matrix may equal the name of another column.
  const columns = matrixNames.map((name) => (fixed.includes(name) ? `matrix.${name}` : name));
  return stringify([[...before, ...columns, ...after]], options);
}

export function csvLines(matrixNames: string[], rows: ResultRow[]): string {
  const lines = rows.map((row) => [
    ...before.map((column) => guarded(row[column])),
    ...matrixNames.map((name) => guarded(row.matrix?.[name] ?? null)),
    ...after.map((column) => guarded(row[column])),
  ]);
  return stringify(lines, options);
}

/** RFC 4180 quotes every line end; by default the package quotes only its own. */
const options = { record_delimiter: "windows", quoted_match: /[\r\n]/ } as const;

/**
 * Spreadsheets take such a cell, or line of a cell, for a formula; a quote in front prevents it. Plain numbers stay.
 */
function guarded(value: string | number | null): string | number | null {
  if (typeof value !== "string" || PLAIN_NUMBER.test(value)) return value;
  return value.replaceAll(/(^|[\r\n])(?=[=+\-@\t\r])/g, "$1'");
}

const PLAIN_NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
