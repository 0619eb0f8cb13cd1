// One row per kind, with its state and reason. An artifact that was never requested has no row and counts as pending.
import { type Selectable, sql } from "kysely";
import { idleShareOf } from "../domain/findings.ts";
import type { MetricsSummary } from "../domain/metrics.ts";
import { packDocument, unpackDocument } from "./db/documents.ts";
import { type ArtifactKind, type ArtifactsTable, artifactKinds } from "./db/schema.ts";
import { statement, statementForRows } from "./db/statements.ts";
import type { Db } from "./db/transaction.ts";
import { packSummary, unpackSummary } from "./metrics-summary.ts";

export type ArtifactState = Omit<Selectable<ArtifactsTable>, "document" | "summary"> & { summary: unknown };

export async function listArtifacts(db: Db, executionIds: string[]): Promise<ArtifactState[]> {
  const rows = await selectStates(db, executionIds);
  return rows.map((row) => ({ ...row, summary: readSummary(row) }));
}

/** One list per execution, in their order. */
export async function artifactsOf(db: Db, executionIds: string[]): Promise<ArtifactState[][]> {
  const states = Map.groupBy(await listArtifacts(db, executionIds), ({ execution_id }) => execution_id);
  return executionIds.map((id) => states.get(id) ?? []);
}

function readSummary({ kind, summary }: Pick<Selectable<ArtifactsTable>, "kind" | "summary">): unknown {
  if (summary === null) return null;
  return kind === "metrics" ? unpackSummary(summary) : JSON.parse(summary);
}

const selectStates = statementForRows<string, Omit<Selectable<ArtifactsTable>, "document">>((db, ids) =>
  db
    .selectFrom("artifacts")
    .select(["execution_id", "kind", "state", "reason", "tries"])
    .select(["due_at", "first_tried_at", "fetched_at", "summary"])
    .where("execution_id", "in", ids),
);

/** When each execution's next artifact is due: now if one was never requested. Without pending artifacts: left out. */
export async function nextFetchAts(
  db: Db,
  executionIds: string[],
  now: number,
): Promise<Map<string, number>> {
  const known = new Map((await selectKnown(db, executionIds)).map((row) => [row.execution_id, row]));
  const next = new Map<string, number>();
  for (const id of executionIds) {
    const { kinds = 0, due_at: at = null } = known.get(id) ?? {};
    if (Number(kinds) < artifactKinds.length) next.set(id, now);
    else if (at !== null) next.set(id, at);
  }
  return next;
}

const selectKnown = statementForRows<string, { execution_id: string; kinds: unknown; due_at: number | null }>(
  (db, ids) =>
    db
      .selectFrom("artifacts")
      .select(({ fn }) => ["execution_id", fn.countAll().as("kinds"), fn.min("due_at").as("due_at")])
      .where("execution_id", "in", ids)
      .groupBy("execution_id"),
);

export interface ArtifactChange {
  executionId: string;
  kind: ArtifactKind;
  state: "pending" | "stored" | "unavailable";
  dueAt: number | null;
  reason?: string | null;
  tries: number;
  firstTriedAt?: number | null;
  fetchedAt?: number | null;
  summary?: unknown;
  /** Undefined keeps the stored document. */
  document?: unknown;
}

/** Changes pending artifacts only: a stored or unavailable artifact stays so. */
export async function saveArtifacts(db: Db, changes: ArtifactChange[]): Promise<void> {
  await upsert(db, changes.map(toRow));
}

function toRow(change: ArtifactChange) {
  const { executionId, kind, state, dueAt, reason = null, tries } = change;
  const { firstTriedAt = null, fetchedAt = null } = change;
  const summary = change.summary == null ? null : writeSummary(kind, change.summary);
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

function writeSummary(kind: ArtifactKind, summary: unknown): string {
  return kind === "metrics" ? packSummary(summary as MetricsSummary) : JSON.stringify(summary);
}

const upsert = statementForRows<ReturnType<typeof toRow>, never>((_db, rows) => {
  const kept = ["reason", "first_tried_at", "fetched_at", "summary", "document"].map((name) => {
    const column = sql.ref(name);
    return sql`${column} = coalesce(excluded.${column}, artifacts.${column})`;
  });
  return sql<never>`insert into artifacts
    (execution_id, kind, state, due_at, reason, tries, first_tried_at, fetched_at, summary, document)
    values ${sql.join(rows.map((row) => sql`(${sql.join(row)})`))}
    on conflict (execution_id, kind) do update
      set state = excluded.state, due_at = excluded.due_at, tries = excluded.tries, ${sql.join(kept)}
      where artifacts.state = 'pending'`;
});

export async function readIdleShares(db: Db, executionIds: string[]): Promise<Map<string, number>> {
  const shares = new Map<string, number>();
  if (executionIds.length === 0) return shares;
  for (const { execution_id, summary } of await selectMetrics(db, executionIds)) {
    const share = idleShareOf(summary === null ? null : unpackSummary(summary));
    if (share !== null) shares.set(execution_id, share);
  }
  return shares;
}

const selectMetrics = statementForRows<string, Pick<Selectable<ArtifactsTable>, "execution_id" | "summary">>(
  (db, ids) =>
    db
      .selectFrom("artifacts")
      .select(["execution_id", "summary"])
      .where("execution_id", "in", ids)
      .where("kind", "=", sql.lit("metrics"))
      .where("summary", "is not", sql.lit(null)),
);

/** One record, or null, per execution, in their order. */
export async function recordsOf(db: Db, executionIds: string[]): Promise<unknown[]> {
  const rows = await selectRecords(db, executionIds);
  const packed = new Map(rows.map(({ execution_id, document }) => [execution_id, document]));
  return executionIds.map((id) => unpacked(packed.get(id)));
}

const selectRecords = statementForRows<string, { execution_id: string; document: Buffer | null }>((db, ids) =>
  db
    .selectFrom("artifacts")
    .select(["execution_id", "document"])
    .where("execution_id", "in", ids)
    .where("kind", "=", sql.lit("record")),
);

export async function readDocument(db: Db, executionId: string, kind: ArtifactKind): Promise<unknown> {
  const [row] = (await selectDocument(db, { executionId, kind })).rows;
  return unpacked(row?.document);
}

const selectDocument = statement<{ executionId: string; kind: ArtifactKind }, { document: Buffer | null }>(
  (db, { executionId, kind }) =>
    db
      .selectFrom("artifacts")
      .select("document")
      .where("execution_id", "=", executionId)
      .where("kind", "=", kind),
);

function unpacked(document: Buffer | null | undefined): unknown {
  return document == null ? null : unpackDocument(document);
}
