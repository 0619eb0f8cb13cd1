// Jobs that are to be deleted together with their records at Lyceum: the intention rests in the job until it is done.
import type { Selectable } from "kysely";
import type { ArtifactsTable, JobsTable } from "./db/schema.ts";
import type { Db } from "./db/transaction.ts";
import { isFinished } from "./jobs.ts";

/** False while runs of the job have not ended. Asked for again it is only tried sooner. */
export async function markToErase(db: Db, jobId: string, now: number): Promise<boolean> {
  const result = await db
    .updateTable("jobs")
    .set((eb) => ({ erase_requested_at: eb.fn.coalesce("erase_requested_at", eb.val(now)), erase_at: now }))
    .where("id", "=", jobId)
    .where(isFinished)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export type Erasure = Pick<Selectable<JobsTable>, "id" | "erase_requested_at">;

export async function erasuresDue(db: Db, now: number, limit: number): Promise<Erasure[]> {
  return db
    .selectFrom("jobs")
    .select(["id", "erase_requested_at"])
    .where("erase_at", "<=", now)
    .orderBy("erase_at")
    .limit(limit)
    .execute();
}

export async function nextErasureAt(db: Db): Promise<number | null> {
  const query = db.selectFrom("jobs").select("erase_at").where("erase_at", "is not", null);
  return (await query.orderBy("erase_at").limit(1).executeTakeFirst())?.erase_at ?? null;
}

export async function putOffErasure(db: Db, jobId: string, until: number): Promise<void> {
  await db
    .updateTable("jobs")
    .set({ erase_at: until })
    .where("id", "=", jobId)
    .where("erase_at", "is not", null)
    .execute();
}

export interface RemoteRecord {
  executionId: string;
  lyceumExecutionId: string;
  /** Of its own record's artifact; names the sub-jobs of a GPU selection. */
  summary: Selectable<ArtifactsTable>["summary"];
}

/** What Lyceum may still hold of this job. */
export async function recordsToErase(db: Db, jobId: string, limit: number): Promise<RemoteRecord[]> {
  const rows = await db
    .selectFrom("runs")
    .innerJoin("executions", "executions.run_id", "runs.id")
    .leftJoin("artifacts", (join) =>
      join.onRef("artifacts.execution_id", "=", "executions.id").on("artifacts.kind", "=", "record"),
    )
    .select(["executions.id", "executions.lyceum_execution_id", "artifacts.summary"])
    .where("runs.job_id", "=", jobId)
    .where("executions.lyceum_execution_id", "is not", null)
    .where("executions.erased_at", "is", null)
    .orderBy("executions.id")
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    executionId: row.id,
    lyceumExecutionId: row.lyceum_execution_id ?? "",
    summary: row.summary,
  }));
}

export async function markErased(db: Db, executionIds: string[], now: number): Promise<void> {
  if (executionIds.length === 0) return;
  await db.updateTable("executions").set({ erased_at: now }).where("id", "in", executionIds).execute();
}
