// Specs of a job's runs: each entry of the submission is stored once, however many runs share it.
import { type Selectable, sql } from "kysely";
import type { Policy } from "../domain/run.ts";
import type { RunSpec } from "../domain/spec.ts";
import { parseAsWritten } from "../lib/json-text.ts";
import { packDocument, unpackDocument } from "./db/documents.ts";
import { insertRows } from "./db/rows.ts";
import type { SpecsTable } from "./db/schema.ts";
import { statementForRows, valuesTable } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";
import type { RunRow } from "./run-rows.ts";

export interface SpecEntry {
  jobId: string;
  position: number;
  spec: RunSpec;
  policy?: Partial<Policy> | undefined;
}

export async function insertSpecs(db: Db, entries: SpecEntry[]): Promise<void> {
  const rows = entries.map(({ jobId, position, spec, policy }) => ({
    job_id: jobId,
    position,
    spec: packDocument(spec),
    policy: policy === undefined || Object.keys(policy).length === 0 ? null : JSON.stringify(policy),
  }));
  await insertRows(db, "specs", rows);
}

export async function matrixNames(db: Db, jobId: string): Promise<string[]> {
  // Runs of one spec have the same names, so the first run is enough.
  const firsts = db
    .selectFrom("runs")
    .select((eb) => eb.fn.min("position").as("position"))
    .where("job_id", "=", jobId)
    .where("matrix", "is not", null)
    .groupBy("spec_position");
  const rows = await db
    .selectFrom("runs")
    .select("matrix")
    .where("job_id", "=", jobId)
    .where("position", "in", firsts)
    .orderBy("position")
    .execute();
  return [...new Set(rows.flatMap(({ matrix }) => (matrix === null ? [] : Object.keys(JSON.parse(matrix)))))];
}

export async function loadSpec(db: Db, run: SpecKey): Promise<RunSpec> {
  const [spec] = await loadSpecs(db, [run]);
  return spec as RunSpec;
}

/** With the run's matrix values in its env. */
export async function loadSpecs(db: Db, runs: readonly SpecKey[]): Promise<RunSpec[]> {
  const keys = new Map(runs.map((run) => [nameOf(run.job_id, run.spec_position), run]));
  const rows = await selectSpecs(
    db,
    [...keys.values()].map((run) => [run.job_id, run.spec_position] as const),
  );
  const specs = new Map(
    rows.map((row) => [
      nameOf(row.job_id, row.position),
      unpackDocument(row.spec, parseAsWritten) as RunSpec,
    ]),
  );
  return runs.map(({ job_id: jobId, spec_position: position, matrix }) => {
    const spec = specs.get(nameOf(jobId, position));
    if (spec === undefined) throw new Error(`job ${jobId} has no spec ${position}`);
    if (matrix === null || spec.kind === "compose") return spec;
    return { ...spec, env: { ...spec.env, ...(JSON.parse(matrix) as Record<string, string>) } };
  });
}

type SpecKey = Pick<RunRow, "job_id" | "spec_position" | "matrix">;

function nameOf(jobId: string, position: number): string {
  return `${jobId} ${position}`;
}

type StoredSpec = Pick<Selectable<SpecsTable>, "job_id" | "position" | "spec">;

const selectSpecs = statementForRows<readonly [jobId: string, position: number], StoredSpec>((db, rows) => {
  return sql<StoredSpec>`select job_id, position, spec from specs
    where (job_id, position) in ${valuesTable(db, ["text", "integer"], rows.length)}`;
});
