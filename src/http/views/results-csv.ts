// Results as CSV (RFC 4180): the columns of a row with one per name of the matrix among them.
import { stringify } from "csv-stringify/sync";
import type { ResultRow } from "../../contract/results.ts";

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
  "retry_of",
  "outcome",
] as const;
const fixed: readonly string[] = [...before, ...after];

export function csvHeader(matrixNames: string[]): string {
  // Two columns must not bear one name.
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

/** The package quotes what holds its own line ends alone; RFC 4180 wants it for each of them. */
const options = { record_delimiter: "windows", quoted_match: /[\r\n]/ } as const;

/**
 * A spreadsheet takes a text that begins so for a formula, and one that breaks rows at each line feed each line of it.
 * A plain number such as -0.1 can be none and stays as it is.
 */
function guarded(value: string | number | null): string | number | null {
  if (typeof value !== "string" || PLAIN_NUMBER.test(value)) return value;
  return value.replaceAll(/(^|[\r\n])(?=[=+\-@\t\r])/g, "$1'");
}

const PLAIN_NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
