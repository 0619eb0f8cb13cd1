// Jobs to be deleted with their records at Lyceum. The request is stored in the job until it is carried out.
import type { Selectable } from "kysely";
import type { ArtifactsTable, JobsTable } from "./db/schema.ts";
import type { Db } from "./db/transaction.ts";
import { isFinished, isKept } from "./deletions.ts";

/** False while runs of the job have not ended. A second request makes the deletion due now. */
export async function markForRemoteDeletion(db: Db, jobId: string, now: number): Promise<boolean> {
  const result = await db
    .updateTable("jobs")
    .set((eb) => ({
      deletion_requested_at: eb.fn.coalesce("deletion_requested_at", eb.val(now)),
      deletion_due_at: now,
    }))
    .where("id", "=", jobId)
    .where(isFinished)
    .where(isKept)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export type RemoteDeletion = Pick<Selectable<JobsTable>, "id" | "deletion_requested_at">;

export async function remoteDeletionsDue(db: Db, now: number, limit: number): Promise<RemoteDeletion[]> {
  return db
    .selectFrom("jobs")
    .select(["id", "deletion_requested_at"])
    .where("deletion_due_at", "<=", now)
    .orderBy("deletion_due_at")
    .limit(limit)
    .execute();
}

export async function nextRemoteDeletionAt(db: Db): Promise<number | null> {
  const query = db.selectFrom("jobs").select("deletion_due_at").where("deletion_due_at", "is not", null);
  return (await query.orderBy("deletion_due_at").limit(1).executeTakeFirst())?.deletion_due_at ?? null;
}

export async function postponeRemoteDeletion(db: Db, jobId: string, until: number): Promise<void> {
  await db
    .updateTable("jobs")
    .set({ deletion_due_at: until })
    .where("id", "=", jobId)
    .where("deletion_due_at", "is not", null)
    .execute();
}

export interface RemoteRecord {
  executionId: string;
  lyceumExecutionId: string;
  summary: Selectable<ArtifactsTable>["summary"];
}

export async function recordsToDelete(db: Db, jobId: string, limit: number): Promise<RemoteRecord[]> {
  const rows = await db
    .selectFrom("runs")
    .innerJoin("executions", "executions.run_id", "runs.id")
    .leftJoin("artifacts", (join) =>
      join.onRef("artifacts.execution_id", "=", "executions.id").on("artifacts.kind", "=", "record"),
    )
    .select(["executions.id", "executions.lyceum_execution_id", "artifacts.summary"])
    .where("runs.job_id", "=", jobId)
    .where("executions.lyceum_execution_id", "is not", null)
    .where("executions.remote_deleted_at", "is", null)
    .orderBy("executions.id")
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    executionId: row.id,
    lyceumExecutionId: row.lyceum_execution_id ?? "",
    summary: row.summary,
  }));
}

export async function markRecordsDeleted(db: Db, executionIds: string[], now: number): Promise<void> {
  if (executionIds.length === 0) return;
  await db
    .updateTable("executions")
    .set({ remote_deleted_at: now })
    .where("id", "in", executionIds)
    .execute();
}
