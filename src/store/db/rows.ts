// Inserts and compare-and-set updates of many rows at once, as statements that are compiled once per shape.
import { CompiledQuery, type Insertable, sql, type Updateable } from "kysely";
import { nextTurn } from "../../lib/next-turn.ts";
import type { Schema } from "./schema.ts";
import { chunks, getOrAdd, inputRows, perDatabase } from "./statements.ts";
import { Conflict, type Db } from "./transaction.ts";

/**
 * All rows have the same columns. Returns the number of inserted rows.
 * @param ifExists on an existing key: fail with all rows, or skip the row
 */
export async function insertRows<T extends keyof Schema & string>(
  db: Db,
  table: T,
  rows: readonly Insertable<Schema[T]>[],
  ifExists: "fail" | "skip" = "fail",
): Promise<number> {
  const columns = nonNullColumns(rows as readonly Record<string, unknown>[]);
  let inserted = 0;
  let written = 0;
  for (const chunk of chunks(db, rows as readonly Record<string, unknown>[])) {
    const text = getOrAdd(textsFor(db), `${ifExists} ${chunk.length} ${table} ${columns.join(" ")}`, () => {
      const values = chunk.map((row) => Object.fromEntries(columns.map((column) => [column, row[column]])));
      const insert = db.insertInto(table).values(values as Insertable<Schema[T]>[]);
      return (ifExists === "fail" ? insert : insert.onConflict((c) => c.doNothing())).compile().sql;
    });
    const values: unknown[] = [];
    for (const row of chunk) for (const column of columns) values.push(row[column]);
    const { numAffectedRows } = await db.executeQuery(CompiledQuery.raw(text, values));
    inserted += Number(numAffectedRows);
    written += chunk.length;
    if (written % ROWS_PER_TURN === 0) await nextTurn();
  }
  return inserted;
}

/** A multiple of the largest chunk: fewer rows are written in one turn. */
const ROWS_PER_TURN = 1_024;

/** No nullable column has a default other than null. */
function nonNullColumns(rows: readonly Record<string, unknown>[]): string[] {
  const columns = Object.keys(rows[0] ?? {});
  return columns.filter((column) => rows.some((row) => row[column] !== null));
}

/** An update succeeds only if the row still has this version. */
export interface Versioned {
  id: string;
  version: number;
}

export interface RowChange<T extends "executions" | "runs"> {
  before: Versioned;
  /** Changed columns only, because the database rewrites every index on a column that is set. */
  set: Updateable<Schema[T]>;
}

/**
 * Raises the versions. Rows with the same changed columns share statements.
 * @throws Conflict when another transaction saved one of the rows since it was read
 */
export async function updateRows<T extends "executions" | "runs">(
  db: Db,
  table: T,
  changes: readonly RowChange<T>[],
): Promise<void> {
  for (const sameColumns of Map.groupBy(changes, ({ set }) => Object.keys(set).join(" ")).values()) {
    for (const chunk of chunks(db, sameColumns as readonly RowChange<T>[])) {
      const sets = chunk.map(({ set }) => set as Record<string, unknown>);
      const columns = Object.keys(sets[0] ?? {}).map((name) => ({ name, type: typeOf(sets, name) }));
      const parameters = columns.filter(({ type }) => type !== null);
      const rows = chunk.map(({ before, set }) => [
        ...parameters.map(({ name }) => (set as Record<string, unknown>)[name]),
        before.id,
        before.version,
      ]);
      const shape = columns.map(({ name, type }) => `${name} ${type}`).join();
      const text = getOrAdd(textsFor(db), `update ${rows.length} ${table} ${shape}`, () =>
        updateText(db, table, columns, rows.length),
      );
      const { numAffectedRows } = await db.executeQuery(CompiledQuery.raw(text, rows.flat()));
      if (numAffectedRows !== BigInt(rows.length))
        throw new Conflict(`another transaction saved a row of ${table}`);
    }
  }
}

interface Column {
  name: string;
  type: "double precision" | "text" | null;
}

/** Numbers are sent as doubles, which any numeric column takes. */
function typeOf(sets: Record<string, unknown>[], name: string): Column["type"] {
  const value = sets.map((set) => set[name]).find((candidate) => candidate !== null);
  if (value === undefined) return null;
  return typeof value === "number" ? "double precision" : "text";
}

function updateText(db: Db, table: string, changed: Column[], rows: number): string {
  const types = [...changed.flatMap(({ type }) => type ?? []), "text", "integer"];
  const { columns, from } = inputRows(db, types, rows);
  const [version, id] = [columns.pop(), columns.pop()];
  const set = changed.map(({ name, type }) => {
    return sql`${sql.ref(name)} = ${type === null ? sql`null` : columns.shift()}, `;
  });
  const update = sql`update ${sql.table(table)} set ${sql.join(set, sql``)}version = version + 1${from}
    where id = ${id} and version = ${version}`;
  return update.compile(db).sql;
}

export function changedColumns<R extends object>(before: R, after: R): Partial<R> {
  const set: Partial<R> = {};
  for (const column of Object.keys(after) as (keyof R)[])
    if (after[column] !== before[column]) set[column] = after[column];
  return set;
}

const textsFor = perDatabase(() => new Map<string, string>());
