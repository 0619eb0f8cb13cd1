// The output of a run is in the record and, later, in the log. The record proves the log whole.
import type { LogStanding } from "./collection.ts";
import type { LogEntry } from "./logs.ts";
import type { RunKind } from "./spec.ts";

export interface ToldOutput {
  stdout: string | null;
  stderr: string | null;
  combinedOutput: string | null;
  /** Time at which Lyceum had stored the results. */
  finishTime: number | null;
}

/**
 * The results are stored [dashboard: `finish_time`], and the record has both streams, or both combined, even if empty.
 * Both forms must agree. It is unknown whose output the record of a Compose stack or a GPU selection shows.
 */
export function tellsOutput(record: ToldOutput, kind: RunKind): boolean {
  const { stdout, stderr, combinedOutput, finishTime } = record;
  if (finishTime === null || (kind !== "python" && kind !== "image")) return false;
  if (combinedOutput === null) return stdout !== null && stderr !== null;
  const printed = printedOf(record);
  const { isLacking, hasMore } = compareLines([printed.stdout, printed.stderr], [combinedOutput]);
  return !isLacking && !hasMore;
}

/** The stored form: `combined_output` may be the only filled field [dashboard]. */
export function printedOf({ stdout, stderr, combinedOutput }: Omit<ToldOutput, "finishTime">) {
  return { stdout: stdout ?? combinedOutput ?? "", stderr: stderr ?? "" };
}

/**
 * Compares line by line, repetitions included. A line that only the log has proves nothing: the record may be cut, or
 * the line may be the platform's.
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

/** Compares in any order. Empty lines and trailing blanks do not count: log collectors drop them. */
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
