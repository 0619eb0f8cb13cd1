// Copies all rows of one job into an empty database.
import type { Kysely } from "kysely";
import type { RunSpec } from "../domain/spec.ts";
import { parseAsWritten } from "../lib/json-text.ts";
import { packDocument, unpackDocument } from "./db/documents.ts";
import type { Schema } from "./db/schema.ts";
import type { Db } from "./db/transaction.ts";
import type { JobRow } from "./jobs.ts";

/** @param hideSecrets is applied to the run specs */
export async function copyJob(
  from: Db,
  to: Db,
  job: JobRow,
  hideSecrets: (spec: RunSpec) => unknown,
): Promise<void> {
  const { id, api_key } = job;
  const insert = copier(to);
  await insert("api_keys", [{ name: api_key, last_served_seq: 0 }]);
  // The URL of a webhook is a secret, and deliveries are not part of the job.
  await insert("jobs", [{ ...job, webhook_url: null, idempotency_key: null, body_hash: null }]);
  const specs = await from.selectFrom("specs").selectAll().where("job_id", "=", id).execute();
  await insert(
    "specs",
    specs.map((row) => {
      const spec = unpackDocument(row.spec, parseAsWritten) as RunSpec;
      return { ...row, spec: packDocument(hideSecrets(spec)) };
    }),
  );
  for (let position = -1; ; ) {
    const runs = await from
      .selectFrom("runs")
      .selectAll()
      .where("job_id", "=", id)
      .where("position", ">", position)
      .orderBy("position")
      .limit(PAGE)
      .execute();
    const last = runs.at(-1);
    if (last === undefined) break;
    position = last.position;
    await insert("runs", runs);
    const runIds = runs.map((run) => run.id);
    const executions = await from
      .selectFrom("executions")
      .selectAll()
      .where("run_id", "in", runIds)
      .execute();
    await insert("executions", executions);
    for (const execution of executions) {
      for (const table of ["inbox", "callbacks", "artifacts"] as const)
        await insert(
          table,
          await from.selectFrom(table).selectAll().where("execution_id", "=", execution.id).execute(),
        );
    }
  }
  await insert("events", await from.selectFrom("events").selectAll().where("job_id", "=", id).execute());
  await insert("machine_types", await from.selectFrom("machine_types").selectAll().execute());
  const newest = await to
    .selectFrom("events")
    .select(({ fn }) => fn.max("seq").as("seq"))
    .executeTakeFirst();
  await insert("counters", [{ name: "events", value: newest?.seq ?? 0 }]);
}

const PAGE = 100;

function copier(to: Db) {
  return async (table: keyof Schema, rows: readonly object[]): Promise<void> => {
    for (let at = 0; at < rows.length; at += PAGE)
      await (to as Kysely<Record<string, object>>)
        .insertInto(table)
        .values(rows.slice(at, at + PAGE))
        .execute();
  };
}
