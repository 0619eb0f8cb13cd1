// Artifacts that a terminal run will never have: nothing of it ran, or Lyceum has no record.
import { isTerminal } from "../../domain/run.ts";
import type { RunRow } from "../../store/runs.ts";

/** Why an absent artifact will never come; null while it may. */
export function unavailableReason({ status, error_code, error_detail }: RunRow): string | null {
  if (!isTerminal(status)) return null;
  const cause = [error_code, error_detail].filter(Boolean).join(": ");
  return `the run ended without it${cause === "" ? "" : ` (${cause})`}`;
}
