// Artifacts: what is fetched of an execution after its end, one row a kind, each with its state and reason.
import { type Selectable, sql } from "kysely";
import { packDocument, unpackDocument } from "./documents.ts";
import { type ArtifactKind, type ArtifactsTable, artifactKinds } from "./schema.ts";
import { insertRows, question, statement } from "./statements.ts";
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
  await insertRows(db, "artifacts", rows, "skip");
}

/** The states, without the documents. */
export async function listArtifacts(db: Db, executionIds: string[]): Promise<ArtifactState[]> {
  const rows = await selectStates(db, executionIds);
  return rows.map((row) => ({ ...row, summary: row.summary === null ? null : JSON.parse(row.summary) }));
}

const selectStates = question<string, Omit<Selectable<ArtifactsTable>, "document">>((db, ids) =>
  db
    .selectFrom("artifacts")
    .select(["execution_id", "kind", "state", "reason", "tries"])
    .select(["due_at", "first_tried_at", "fetched_at", "summary"])
    .where("execution_id", "in", ids),
);

/** When the next of its artifacts is to be asked for; null when none is pending any more. */
export async function nextFetchAt(db: Db, executionId: string): Promise<number | null> {
  return (await selectNextFetch(db, { executionId })).rows[0]?.at ?? null;
}

const selectNextFetch = statement<{ executionId: string }, { at: number | null }>((db, { executionId }) =>
  db
    .selectFrom("artifacts")
    .select(({ fn }) => fn.min("due_at").as("at"))
    .where("execution_id", "=", executionId),
);

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
  const { state, dueAt, reason = null, tries = null, firstTriedAt = null, fetchedAt = null } = change;
  const summary = change.summary === undefined ? null : JSON.stringify(change.summary);
  const document = change.document === undefined ? null : packDocument(change.document);
  const told = { reason, tries, firstTriedAt, fetchedAt, summary, document };
  await updatePending(db, { executionId, kind, state, dueAt, ...told });
}

type Saved = Required<Omit<ArtifactChange, "summary" | "document" | "tries">> & {
  executionId: string;
  kind: ArtifactKind;
  tries: number | null;
  summary: string | null;
  document: Buffer | null;
};

const updatePending = statement<Saved, never>((db, to) =>
  db
    .updateTable("artifacts")
    .set(({ fn }) => ({
      state: to.state,
      due_at: to.dueAt,
      reason: fn.coalesce(to.reason, "reason"),
      tries: fn.coalesce(to.tries, "tries"),
      first_tried_at: fn.coalesce(to.firstTriedAt, "first_tried_at"),
      fetched_at: fn.coalesce(to.fetchedAt, "fetched_at"),
      summary: fn.coalesce(to.summary, "summary"),
      document: fn.coalesce(to.document, "document"),
    }))
    .where("execution_id", "=", to.executionId)
    .where("kind", "=", to.kind)
    .where("state", "=", sql.lit("pending")),
);

export async function readDocument(db: Db, executionId: string, kind: ArtifactKind): Promise<unknown> {
  const [row] = (await selectDocument(db, { executionId, kind })).rows;
  return row?.document == null ? null : unpackDocument(row.document);
}

const selectDocument = statement<{ executionId: string; kind: ArtifactKind }, { document: Buffer | null }>(
  (db, { executionId, kind }) =>
    db
      .selectFrom("artifacts")
      .select("document")
      .where("execution_id", "=", executionId)
      .where("kind", "=", kind),
);
