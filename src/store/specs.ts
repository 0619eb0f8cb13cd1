// What the runs of a job ask for: each entry of the submission once, however many runs share it.
import type { Policy } from "../domain/run.ts";
import type { RunSpec } from "../domain/spec.ts";
import { packDocument, unpackDocument } from "./documents.ts";
import type { RunRow } from "./runs.ts";
import { insertRows, statement } from "./statements.ts";
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
export async function loadSpec(db: Db, of: SpecOf): Promise<RunSpec> {
  const [row] = (await selectSpec(db, { jobId: of.job_id, position: of.spec_position })).rows;
  if (row === undefined) throw new Error(`job ${of.job_id} has no spec ${of.spec_position}`);
  const spec = unpackDocument(row.spec) as RunSpec;
  if (of.matrix === null || spec.kind === "compose") return spec;
  return { ...spec, env: { ...spec.env, ...(JSON.parse(of.matrix) as Record<string, string>) } };
}

type SpecOf = Pick<RunRow, "job_id" | "spec_position" | "matrix">;

const selectSpec = statement<{ jobId: string; position: number }, { spec: Buffer }>(
  (db, { jobId, position }) =>
    db.selectFrom("specs").select("spec").where("job_id", "=", jobId).where("position", "=", position),
);
