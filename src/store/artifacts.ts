// Artifacts: what is fetched of an execution after its end, one row a kind, each with its state and reason.
import { type Selectable, sql } from "kysely";
import { packDocument, unpackDocument } from "./documents.ts";
import { type ArtifactKind, type ArtifactsTable, artifactKinds } from "./schema.ts";
import { insertRows, statement, statementOn, valuesOf } from "./statements.ts";
import type { Db } from "./transaction.ts";

export type ArtifactState = Omit<Selectable<ArtifactsTable>, "document" | "summary"> & { summary: unknown };

/** Called again it changes nothing. */
export async function insertPendingArtifacts(db: Db, executionIds: string[], now: number): Promise<void> {
  const rows = executionIds.flatMap((execution_id) =>
    artifactKinds.map((kind) => ({ execution_id, kind, state: "pending" as const, tries: 0, due_at: now })),
  );
  await insertRows(db, "artifacts", rows, "skip");
}

/** The states, without the documents. */
export async function listArtifacts(db: Db, executionIds: string[]): Promise<ArtifactState[]> {
  const rows = await selectStates(db, executionIds);
  return rows.map((row) => ({ ...row, summary: row.summary === null ? null : JSON.parse(row.summary) }));
}

const selectStates = statementOn<string, Omit<Selectable<ArtifactsTable>, "document">>((db, ids) =>
  db
    .selectFrom("artifacts")
    .select(["execution_id", "kind", "state", "reason", "tries"])
    .select(["due_at", "first_tried_at", "fetched_at", "summary"])
    .where("execution_id", "in", ids),
);

/** When the next artifact of each is to be asked for. Those of which none is pending any more are left out. */
export async function nextFetchAts(db: Db, executionIds: string[]): Promise<Map<string, number>> {
  const next = new Map<string, number>();
  for (const { execution_id: id, due_at: at } of await selectPending(db, executionIds))
    next.set(id, Math.min(at ?? 0, next.get(id) ?? Number.POSITIVE_INFINITY));
  return next;
}

const selectPending = statementOn<string, Pick<ArtifactState, "execution_id" | "due_at">>((db, ids) =>
  db
    .selectFrom("artifacts")
    .select(["execution_id", "due_at"])
    .where("execution_id", "in", ids)
    .where("due_at", "is not", sql.lit(null)),
);

export interface ArtifactChange {
  executionId: string;
  kind: ArtifactKind;
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
export async function saveArtifacts(db: Db, changes: ArtifactChange[]): Promise<void> {
  await updatePending(db, changes.map(toRow));
}

function toRow(change: ArtifactChange) {
  const { executionId, kind, state, dueAt, reason = null, tries = null } = change;
  const { firstTriedAt = null, fetchedAt = null } = change;
  const summary = change.summary === undefined ? null : JSON.stringify(change.summary);
  const document = change.document === undefined ? null : packDocument(change.document);
  return [
    executionId,
    kind,
    state,
    dueAt,
    reason,
    tries,
    firstTriedAt,
    fetchedAt,
    summary,
    document,
  ] as const;
}

const updatePending = statementOn<ReturnType<typeof toRow>, never>((db, rows) => {
  const types = ["text", "text", "text", "bigint", "text", "integer", "bigint", "bigint", "text", "bytea"];
  const columns = ["reason", "tries", "first_tried_at", "fetched_at", "summary", "document"];
  const unlessNull = columns.map((name, index) => {
    const column = sql.ref(name);
    return sql`${column} = coalesce(${sql.ref(`given.column${index + 5}`)}, ${column})`;
  });
  const query = sql<never>`update artifacts set state = given.column3, due_at = given.column4, ${sql.join(unlessNull)}
    from ${valuesOf(db, types, rows.length)} as given
    where execution_id = given.column1 and kind = given.column2 and state = 'pending'`;
  return { compile: () => query.compile(db) };
});

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
