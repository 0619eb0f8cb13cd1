// Artifacts that a run does not have and never will: nothing of it ran, or Lyceum has lost it.
import { isTerminal } from "../../domain/run.ts";
import type { RunRow } from "../../store/runs.ts";

/** Why what is not there will not come any more; null while it may. */
export function unavailableReason({ status, error_code, error_detail }: RunRow): string | null {
  if (!isTerminal(status)) return null;
  const cause = [error_code, error_detail].filter(Boolean).join(": ");
  return `the run ended without it${cause === "" ? "" : ` (${cause})`}`;
}
