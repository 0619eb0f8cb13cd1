// What Lyceum says of a run may quote what it was given: logins, values of its env, the callback's URL.
import type { Execution } from "../domain/execution.ts";
import { secretsOf } from "../domain/secrets.ts";
import { redact } from "../lyceum/error-detail.ts";
import type { RecordReading } from "../lyceum/reading.ts";
import type { Db } from "../store/db/transaction.ts";
import { findRun } from "../store/runs.ts";
import { loadSpec } from "../store/specs.ts";

/** The record without these in what the platform says; what the run itself has printed is its own. */
export async function withoutSecrets(
  db: Db,
  { runId }: Execution,
  record: RecordReading,
): Promise<RecordReading> {
  const { errors, warnings, statusDetails } = record;
  if (errors === null && warnings === null && statusDetails === null) return record;
  const run = await findRun(db, runId);
  const secrets = run === null ? [] : secretsOf(await loadSpec(db, run));
  const clean = (text: string | null) => (text === null ? null : redact(text, secrets));
  return {
    ...record,
    errors: clean(errors),
    warnings: clean(warnings),
    statusDetails: clean(statusDetails),
  };
}
