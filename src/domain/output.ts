// What a run printed is told twice by Lyceum, in the record and, late, in the log: the one proves the other whole.
import type { LogStanding } from "./collection.ts";
import type { LogEntry } from "./logs.ts";
import type { RunKind } from "./spec.ts";

/** Of a record; null: it says nothing. */
export interface ToldOutput {
  stdout: string | null;
  stderr: string | null;
  combinedOutput: string | null;
  /** When Lyceum had stored the results. */
  finishTime: number | null;
}

/**
 * Whether a record tells all that its run printed, so that a log may be judged by it: the results are stored
 * [dashboard: `finish_time`], and both streams, or both in one, are told, empty ones included. Where it tells them in
 * both ways these must agree. Of a Compose stack or a GPU selection nobody knows whose output its record shows.
 */
export function tellsOutput(record: ToldOutput, kind: RunKind): boolean {
  const { stdout, stderr, combinedOutput, finishTime } = record;
  if (finishTime === null || (kind !== "python" && kind !== "image")) return false;
  if (combinedOutput === null) return stdout !== null && stderr !== null;
  const printed = printedOf(record);
  const { isLacking, hasMore } = compareLines([printed.stdout, printed.stderr], [combinedOutput]);
  return !isLacking && !hasMore;
}

/** As it is kept: `combined_output` may be the only one that is filled [dashboard]. */
export function printedOf({ stdout, stderr, combinedOutput }: Omit<ToldOutput, "finishTime">) {
  return { stdout: stdout ?? combinedOutput ?? "", stderr: stderr ?? "" };
}

/**
 * Compares a log with its record, line by line, as often as each was printed: it lacks lines of the record, or has just
 * these. A line that the record does not have (it may have been cut, or the line be an event of the platform) proves
 * nothing.
 */
export function compareLog(
  entries: readonly LogEntry[],
  { stdout, stderr }: ReturnType<typeof printedOf>,
): LogStanding {
  const { isLacking, hasMore } = compareLines(
    entries.map((entry) => entry.message),
    [stdout, stderr],
  );
  if (isLacking) return "lacking";
  return hasMore ? "unjudged" : "whole";
}

/** In any order; what collectors of logs drop does not count: empty lines, and blanks at the end of a line. */
function compareLines(texts: readonly string[], others: readonly string[]) {
  const left = new Map<string, number>();
  for (const line of linesOf(others)) left.set(line, (left.get(line) ?? 0) + 1);
  let hasMore = false;
  for (const line of linesOf(texts)) {
    const count = left.get(line) ?? 0;
    if (count === 0) hasMore = true;
    else if (count === 1) left.delete(line);
    else left.set(line, count - 1);
  }
  return { isLacking: left.size > 0, hasMore };
}

function linesOf(texts: readonly string[]): string[] {
  return texts
    .flatMap((text) => text.split("\n").map((line) => line.trimEnd()))
    .filter((line) => line !== "");
}
