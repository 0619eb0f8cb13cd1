// Redacts records: Lyceum's messages may quote logins, env values and the callback URL.
import type { Execution } from "../domain/execution.ts";
import { secretsOf } from "../domain/secrets.ts";
import { redact } from "../lib/redact.ts";
import type { RecordAnswer } from "../lyceum/answer.ts";
import type { Db } from "../store/db/transaction.ts";
import { findRun } from "../store/runs.ts";
import { loadSpec } from "../store/specs.ts";

/** The run's own output is left as it is. */
export async function withoutSecrets(
  db: Db,
  { runId }: Execution,
  record: RecordAnswer,
): Promise<RecordAnswer> {
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
