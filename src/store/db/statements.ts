// Two ways to query. Code that runs seldom builds its query with Kysely at each execution:
//
//   db.selectFrom("jobs").selectAll().where("id", "=", id).executeTakeFirst()
//
// Hot paths compile a statement once, because building a query costs more than SQLite takes to run it:
//
//   const selectJob = statement<{ id: string }, JobRow>((db, { id }) =>
//     db.selectFrom("jobs").selectAll().where("id", "=", id));
//   const { rows } = await selectJob(db, { id });
import {
  type Compilable,
  CompiledQuery,
  type QueryResult,
  type RawBuilder,
  type SelectQueryBuilder,
  SqliteAdapter,
  sql,
} from "kysely";
import type { Schema } from "./schema.ts";
import type { Db } from "./transaction.ts";

type Query<R> = Compilable<R> | RawBuilder<R>;

type Parameters<P> = { readonly [K in keyof P]: RawBuilder<P[K]> };

/** Built once per database; takes its values at each execution. */
export function statement<P extends object, R>(
  build: (db: Db, parameters: Parameters<P>) => Query<R>,
): (db: Db, values: P) => Promise<QueryResult<R>> {
  const compiledFor = perDatabase((db) => {
    const compiled = compile(db, build(db, anyParameter));
    return { text: compiled.sql, names: compiled.parameters.map(nameOf) as (keyof P)[] };
  });
  return (db, values) => {
    const { text, names } = compiledFor(db);
    return db.executeQuery<R>(
      CompiledQuery.raw(
        text,
        names.map((name) => values[name]),
      ),
    );
  };
}

/** The limit is part of the text: SQLite plans a limit that is a parameter at each execution. Use few limits. */
export function statementWithLimit<P extends object, R>(
  build: (db: Db, parameters: Parameters<P>, limit: RawBuilder<number>) => Query<R>,
): (db: Db, values: P, limit: number) => Promise<QueryResult<R>> {
  const statements = new Map<number, ReturnType<typeof statement<P, R>>>();
  const withLimit = (limit: number) =>
    statement<P, R>((db, parameters) => build(db, parameters, sql.lit(limit)));
  return (db, values, limit) => getOrAdd(statements, limit, () => withLimit(limit))(db, values);
}

export function statementForRows<V extends string | number | readonly unknown[], R>(
  build: (db: Db, rows: readonly V[]) => Query<R>,
): (db: Db, rows: readonly V[]) => Promise<R[]> {
  const textsFor = perDatabase(() => new Map<number, string>());
  return async (db, rows) => {
    const results: R[] = [];
    for (const chunk of chunks(db, rows)) {
      const text = getOrAdd(textsFor(db), chunk.length, () => compile(db, build(db, chunk)).sql);
      results.push(...(await db.executeQuery<R>(CompiledQuery.raw(text, chunk.flat()))).rows);
    }
    return results;
  };
}

function compile<R>(db: Db, query: Query<R>): CompiledQuery<R> {
  // Kysely's builders ignore the argument, and its templates need it.
  return (query as RawBuilder<R>).compile(db);
}

/**
 * `columns` stand for the values, each used once and in order; `from` ends the statement. A single row needs no table.
 */
export function inputRows(db: Db, types: readonly string[], rows: number) {
  if (rows === 1) return { columns: types.map(() => sql<never>`${null}`), from: sql`` };
  const columns = types.map((_, index) => sql<never>`${sql.ref(`input.column${index + 1}`)}`);
  return { columns, from: sql` from ${valuesTable(db, types, rows)} as input` };
}

/** Both databases call its columns column1, column2, … */
export function valuesTable(db: Db, types: readonly string[], rows: number): RawBuilder<unknown> {
  // PostgreSQL takes an untyped parameter for a text. With types SQLite would not use the primary key.
  const isTyped = !isSqlite(db);
  const row = sql.join(
    types.map((type) => (isTyped ? sql`cast(${null} as ${sql.raw(type)})` : sql`${null}`)),
  );
  return sql`(values ${sql.join(Array.from({ length: rows }, () => sql`(${row})`))})`;
}

/**
 * Rows of the query that no other transaction has locked. The array makes PostgreSQL run the locking query once; behind
 * `in` it may run several times and lock more rows than its limit.
 */
export function isChosen<K extends "id" | "seq" = "id">(
  db: Db,
  query: SelectQueryBuilder<Schema, keyof Schema, { [key in K]: unknown }>,
  key: "id" | "seq" = "id",
): RawBuilder<boolean> {
  return isSqlite(db)
    ? sql<boolean>`${sql.ref(key)} in ${query}`
    : sql<boolean>`${sql.ref(key)} = any(array${query.forUpdate().skipLocked()})`;
}

export function isSqlite(db: Db): boolean {
  return db.getExecutor().adapter instanceof SqliteAdapter;
}

/** PostgreSQL keeps no plan, and each statement is a round trip: up to so many rows always share one. */
export const MAX_IN_ONE_STATEMENT = 64;

/** Few sizes: few statements serve any number of rows. */
export function* chunks<R>(db: Db, rows: readonly R[]): Generator<readonly R[]> {
  const mostOfAnySize = isSqlite(db) ? 1 : MAX_IN_ONE_STATEMENT;
  for (let from = 0; from < rows.length; ) {
    const left = rows.length - from;
    const size = left <= mostOfAnySize ? left : (CHUNK_SIZES.find((size) => size <= left) ?? 1);
    yield rows.slice(from, from + size);
    from += size;
  }
}

/** With fewer than 64 columns, 256 rows stay below the limits: 65,535 parameters on PostgreSQL, 32,766 on SQLite. */
const CHUNK_SIZES = [256, 128, 64, 32, 16, 8, 4, 2];

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
    "a statement that is compiled once has a fixed value: write it as a literal or a parameter",
  );
}

/** Transactions share their database's adapter. */
export function perDatabase<T>(make: (db: Db) => T): (db: Db) => T {
  const values = new WeakMap<object, T>();
  return (db) => getOrAdd(values, db.getExecutor().adapter, () => make(db));
}

export function getOrAdd<K, V>(
  map: { get(key: K): V | undefined; set(key: K, value: V): unknown },
  key: K,
  make: () => V,
): V {
  const value = map.get(key);
  if (value !== undefined) return value;
  const made = make();
  map.set(key, made);
  return made;
}
