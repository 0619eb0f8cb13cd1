// Artifacts: what is fetched of an execution after its end, one row a kind, each with its state and reason.
import type { Selectable, Updateable } from "kysely";
import { packDocument, unpackDocument } from "./documents.ts";
import { type ArtifactKind, type ArtifactsTable, artifactKinds } from "./schema.ts";
import type { Db } from "./transaction.ts";

export type ArtifactState = Omit<Selectable<ArtifactsTable>, "document" | "summary"> & { summary: unknown };

/** Called again it changes nothing. */
export async function insertPendingArtifacts(db: Db, executionId: string, now: number): Promise<void> {
  const rows = artifactKinds.map((kind) => ({
    execution_id: executionId,
    kind,
    state: "pending" as const,
    tries: 0,
    due_at: now,
  }));
  await db
    .insertInto("artifacts")
    .values(rows)
    .onConflict((c) => c.doNothing())
    .execute();
}

/** The states, without the documents. */
export async function listArtifacts(db: Db, executionIds: string[]): Promise<ArtifactState[]> {
  if (executionIds.length === 0) return [];
  const rows = await db
    .selectFrom("artifacts")
    .select([
      "execution_id",
      "kind",
      "state",
      "reason",
      "tries",
      "due_at",
      "first_tried_at",
      "fetched_at",
      "summary",
    ])
    .where("execution_id", "in", executionIds)
    .execute();
  return rows.map((row) => ({ ...row, summary: row.summary === null ? null : JSON.parse(row.summary) }));
}

export interface ArtifactChange {
  state: "pending" | "stored" | "unavailable";
  /** Given exactly while pending. */
  dueAt: number | null;
  reason?: string | null;
  tries?: number;
  firstTriedAt?: number | null;
  fetchedAt?: number | null;
  summary?: unknown;
  /** Left out: what is stored stays. */
  document?: unknown;
}

/** What is stored or given up stays so, whoever comes late. */
export async function saveArtifact(
  db: Db,
  executionId: string,
  kind: ArtifactKind,
  change: ArtifactChange,
): Promise<void> {
  const columns: Updateable<ArtifactsTable> = { state: change.state, due_at: change.dueAt };
  if (change.reason !== undefined) columns.reason = change.reason;
  if (change.tries !== undefined) columns.tries = change.tries;
  if (change.firstTriedAt !== undefined) columns.first_tried_at = change.firstTriedAt;
  if (change.fetchedAt !== undefined) columns.fetched_at = change.fetchedAt;
  if (change.summary !== undefined) columns.summary = JSON.stringify(change.summary);
  if (change.document !== undefined) columns.document = packDocument(change.document);
  await db
    .updateTable("artifacts")
    .set(columns)
    .where("execution_id", "=", executionId)
    .where("kind", "=", kind)
    .where("state", "=", "pending")
    .execute();
}

export async function readDocument(db: Db, executionId: string, kind: ArtifactKind): Promise<unknown> {
  const row = await db
    .selectFrom("artifacts")
    .select("document")
    .where("execution_id", "=", executionId)
    .where("kind", "=", kind)
    .executeTakeFirst();
  return row?.document == null ? null : unpackDocument(row.document);
}
