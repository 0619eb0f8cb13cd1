// What the runs of a job ask for: each entry of the submission once, however many runs share it.
import type { Policy } from "../domain/run.ts";
import type { RunSpec } from "../domain/spec.ts";
import { packDocument, unpackDocument } from "./documents.ts";
import { insertRows } from "./statements.ts";
import type { Db } from "./transaction.ts";

/** One entry of a submission; kept once, however many runs share it. */
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

/** The names that the job's matrices vary, in the order of the submission. */
export async function matrixNames(db: Db, jobId: string): Promise<string[]> {
  // The runs of one spec share their names: the first of them tells.
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

/** What the run asks for, its matrix's values set in the env. */
export async function loadSpec(db: Db, runId: string): Promise<RunSpec> {
  const row = await db
    .selectFrom("runs")
    .innerJoin("specs", (join) =>
      join.onRef("specs.job_id", "=", "runs.job_id").onRef("specs.position", "=", "runs.spec_position"),
    )
    .select(["specs.spec", "runs.matrix"])
    .where("runs.id", "=", runId)
    .executeTakeFirstOrThrow();
  const spec = unpackDocument(row.spec) as RunSpec;
  if (row.matrix === null || spec.kind === "compose") return spec;
  return { ...spec, env: { ...spec.env, ...(JSON.parse(row.matrix) as Record<string, string>) } };
}
