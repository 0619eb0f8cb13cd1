// Statements of the hot paths, compiled once per dialect: building a query anew at each execution costs more than
// SQLite takes to run it.
import {
  type Compilable,
  CompiledQuery,
  type Insertable,
  type QueryResult,
  type RawBuilder,
  type SelectQueryBuilder,
  SqliteAdapter,
  sql,
  type Updateable,
} from "kysely";
import type { Schema } from "./schema.ts";
import { Conflict, type Db } from "./transaction.ts";

/** A statement that is built when it is first needed, and only given its values from then on. */
export function statement<P extends object, R>(
  build: (db: Db, parameters: { readonly [K in keyof P]: RawBuilder<P[K]> }) => Compilable<R>,
): (db: Db, values: P) => Promise<QueryResult<R>> {
  const compiledFor = perDialect((db) => {
    const compiled = build(db, anyParameter).compile();
    return { text: compiled.sql, names: compiled.parameters.map(nameOf) as (keyof P)[] };
  });
  return (db, values) => {
    const { text, names } = compiledFor(db);
    const given = names.map((name) => values[name]);
    return db.executeQuery<R>(CompiledQuery.raw(text, given));
  };
}

/**
 * A statement with a limit, which becomes part of its text: SQLite plans one whose limit is a parameter anew at each
 * execution. So limits should be few.
 */
export function limitedStatement<P extends object, R>(
  build: (
    db: Db,
    parameters: { readonly [K in keyof P]: RawBuilder<P[K]> },
    limit: RawBuilder<number>,
  ) => Compilable<R>,
): (db: Db, values: P, limit: number) => Promise<QueryResult<R>> {
  const known = new Map<number, ReturnType<typeof statement<P, R>>>();
  const ofLimit = (limit: number) =>
    statement<P, R>((db, parameters) => build(db, parameters, sql.lit(limit)));
  return (db, values, limit) => lookUp(known, limit, () => ofLimit(limit))(db, values);
}

/** A statement about rows that are each named by a value or several, however many. */
export function statementOn<V extends string | readonly unknown[], R>(
  build: (db: Db, rows: readonly V[]) => Compilable<R>,
): (db: Db, rows: readonly V[]) => Promise<R[]> {
  const known = perDialect(() => new Map<number, string>());
  return async (db, rows) => {
    const found: R[] = [];
    for (const step of steps(rows)) {
      const text = lookUp(known(db), step.length, () => build(db, step).compile().sql);
      found.push(...(await db.executeQuery<R>(CompiledQuery.raw(text, step.flat()))).rows);
    }
    return found;
  };
}

/**
 * Inserts rows that all have the same columns. Answers how many.
 * @param ifTaken if there is a row with the same key already: fail with all of them, or skip this one.
 */
export async function insertRows<T extends keyof Schema & string>(
  db: Db,
  table: T,
  rows: readonly Insertable<Schema[T]>[],
  ifTaken: "fail" | "skip" = "fail",
): Promise<number> {
  const columns = columnsIn(rows as readonly Record<string, unknown>[]);
  let inserted = 0;
  for (const step of steps(rows as readonly Record<string, unknown>[])) {
    const text = lookUp(texts(db), `${ifTaken} ${step.length} ${table} ${columns.join(" ")}`, () => {
      const values = step.map((row) => Object.fromEntries(columns.map((column) => [column, row[column]])));
      const insert = db.insertInto(table).values(values as Insertable<Schema[T]>[]);
      return (ifTaken === "fail" ? insert : insert.onConflict((c) => c.doNothing())).compile().sql;
    });
    const values: unknown[] = [];
    for (const row of step) for (const column of columns) values.push(row[column]);
    const { numAffectedRows } = await db.executeQuery(CompiledQuery.raw(text, values));
    inserted += Number(numAffectedRows);
  }
  return inserted;
}

/** A column that is null in all of them is left out: no column that may be null has another default. */
function columnsIn(rows: readonly Record<string, unknown>[]): string[] {
  const columns = Object.keys(rows[0] ?? {});
  return columns.filter((column) => rows.some((row) => row[column] !== null));
}

/** A row as it was read: saved only if it still has this version. */
export interface Versioned {
  id: string;
  version: number;
}

/** What becomes of a row. */
export interface RowChange<T extends "executions" | "runs"> {
  before: Versioned;
  /** Without what stays as it is: the database writes every index in which a column stands that is set. */
  set: Updateable<Schema[T]>;
}

/**
 * Changes rows and raises their versions. Those in which the same columns are set share their statements.
 * @throws Conflict when somebody saved one of them since it was read.
 */
export async function updateRows<T extends "executions" | "runs">(
  db: Db,
  table: T,
  changes: readonly RowChange<T>[],
): Promise<void> {
  for (const alike of Map.groupBy(changes, ({ set }) => Object.keys(set).join(" ")).values()) {
    for (const step of steps(alike as readonly RowChange<T>[])) {
      const sets = step.map(({ set }) => set as Record<string, unknown>);
      const columns = Object.keys(sets[0] ?? {}).map((name) => ({ name, type: typeOf(sets, name) }));
      const given = columns.filter(({ type }) => type !== null);
      const rows = step.map(({ before, set }) => [
        ...given.map(({ name }) => (set as Record<string, unknown>)[name]),
        before.id,
        before.version,
      ]);
      const shape = columns.map(({ name, type }) => `${name} ${type}`).join();
      const text = lookUp(texts(db), `update ${rows.length} ${table} ${shape}`, () =>
        updateText(db, table, columns, rows.length),
      );
      const { numAffectedRows } = await db.executeQuery(CompiledQuery.raw(text, rows.flat()));
      if (numAffectedRows !== BigInt(rows.length)) throw new Conflict(`a row of ${table} has moved on`);
    }
  }
}

interface Column {
  name: string;
  /** Null: it is null in all rows. */
  type: "double precision" | "text" | null;
}

/** Numbers go as doubles, which any numeric column takes. */
function typeOf(sets: Record<string, unknown>[], name: string): Column["type"] {
  const value = sets.map((set) => set[name]).find((one) => one !== null);
  if (value === undefined) return null;
  return typeof value === "number" ? "double precision" : "text";
}

function updateText(db: Db, table: string, columns: Column[], rows: number): string {
  const types = [...columns.flatMap(({ type }) => type ?? []), "text", "integer"];
  const { places, from } = givenRows(db, types, rows);
  const [version, id] = [places.pop(), places.pop()];
  const set = columns.map(({ name, type }) => {
    return sql`${sql.ref(name)} = ${type === null ? sql`null` : places.shift()}, `;
  });
  const update = sql`update ${sql.table(table)} set ${sql.join(set, sql``)}version = version + 1${from}
    where id = ${id} and version = ${version}`;
  return update.compile(db).sql;
}

/**
 * Rows of values for a statement that changes a row for each of them, with `from` at its end. The places stand for the
 * values, and each is used once, in their order: those of a single row are parameters.
 */
export function givenRows(db: Db, types: readonly string[], rows: number) {
  if (rows === 1) return { places: types.map(() => sql<never>`${null}`), from: sql`` };
  const places = types.map((_, index) => sql<never>`${sql.ref(`given.column${index + 1}`)}`);
  return { places, from: sql` from ${valuesOf(db, types, rows)} as given` };
}

/** Rows of these types as a table. Both databases name its columns alike: column1, column2… */
export function valuesOf(db: Db, types: readonly string[], rows: number): RawBuilder<unknown> {
  // PostgreSQL takes a bare value for a text. SQLite needs no types, and with them it does not use the key.
  const isTyped = !isSqlite(db);
  const row = sql.join(
    types.map((type) => (isTyped ? sql`cast(${null} as ${sql.raw(type)})` : sql`${null}`)),
  );
  return sql`(values ${sql.join(Array.from({ length: rows }, () => sql`(${row})`))})`;
}

/**
 * True of the rows that the query chooses and no other transaction has locked. PostgreSQL may run a locking query behind
 * `in` more than once, and would then lock more rows than its limit; an array is made once. SQLite has one writing
 * transaction at a time.
 */
export function isChosen<O extends { id: string }>(
  db: Db,
  query: SelectQueryBuilder<Schema, keyof Schema, O>,
): RawBuilder<boolean> {
  return isSqlite(db)
    ? sql<boolean>`id in ${query}`
    : sql<boolean>`id = any(array${query.forUpdate().skipLocked()})`;
}

export function isSqlite(db: Db): boolean {
  return db.getExecutor().adapter instanceof SqliteAdapter;
}

/** The columns that are not as they were. */
export function changedColumns<R extends object>(before: R, after: R): Partial<R> {
  const set: Partial<R> = {};
  for (const column of Object.keys(after) as (keyof R)[])
    if (after[column] !== before[column]) set[column] = after[column];
  return set;
}

/** In few sizes, so that few statements serve any number of rows. */
function* steps<R>(rows: readonly R[]): Generator<readonly R[]> {
  for (let from = 0; from < rows.length; ) {
    const size = SIZES.find((one) => one <= rows.length - from) ?? 1;
    yield rows.slice(from, from + size);
    from += size;
  }
}

/** At the most 256 rows of fewer than 64 columns: PostgreSQL takes 65,535 values, SQLite 32,766. */
const SIZES = [256, 64, 16, 4, 1];

class Parameter {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

const anyParameter = new Proxy({} as never, { get: (_, name: string) => sql.val(new Parameter(name)) });

function nameOf(parameter: unknown): string {
  if (parameter instanceof Parameter) return parameter.name;
  throw new Error(
    "a value stands in a statement that is compiled once: write it as a literal or a parameter",
  );
}

/** Transactions share the adapter of the database that they belong to. */
function perDialect<T>(make: (db: Db) => T): (db: Db) => T {
  const known = new WeakMap<object, T>();
  return (db) => lookUp(known, db.getExecutor().adapter, () => make(db));
}

const texts = perDialect(() => new Map<string, string>());

function lookUp<K, V>(
  known: { get(key: K): V | undefined; set(key: K, value: V): unknown },
  key: K,
  make: () => V,
): V {
  const value = known.get(key);
  if (value !== undefined) return value;
  const made = make();
  known.set(key, made);
  return made;
}
