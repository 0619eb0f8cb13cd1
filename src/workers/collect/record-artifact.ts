// The artifact that is kept of a record: output and outcome, never the fields that may hold secrets.
import type { RecordSummary } from "../../domain/gpu-selection.ts";
import { printedOf, tellsOutput } from "../../domain/output.ts";
import type { RunKind } from "../../domain/spec.ts";
import type { RecordAnswer } from "../../lyceum/answer.ts";

export function recordDocument(record: RecordAnswer) {
  return {
    ...printedOf(record),
    return_code: record.returnCode,
    // Kept as text, so that numbers keep all their digits.
    result_json: record.result,
    errors: record.errors,
    warnings: record.warnings,
    install_log: record.installLog,
    install_return_code: record.installReturnCode,
    status_details: record.statusDetails,
  };
}

export type RecordDocument = ReturnType<typeof recordDocument>;

export interface StoredRecord {
  document: RecordDocument;
  summary: RecordSummary | null;
}

export function storedRecord(record: RecordAnswer, kind: RunKind) {
  const document = recordDocument(record);
  const length = document.stdout.length + document.stderr.length;
  const showsOutput = length <= MAX_COMPARED;
  const tellsAll = showsOutput && tellsOutput(record, kind);
  const summary: RecordSummary = {
    tells_output: tellsAll,
    shows_output: showsOutput,
    has_output: length > 0,
  };
  return { document, summary };
}

/** Longer output is not compared with the log, which may be cut earlier. */
const MAX_COMPARED = 256 * 1024;

export interface Printed {
  isAny: boolean;
  /** Null if the output is unknown, or too large to compare. */
  output: Pick<RecordDocument, "stdout" | "stderr"> | null;
  isAll: boolean;
}

export function printedIn({ document, summary }: StoredRecord): Printed {
  const isAny = document.stdout + document.stderr !== "";
  const isAll = summary?.tells_output === true;
  return { isAny, isAll, output: isAll || summary?.shows_output === true ? document : null };
}
