// Opening SQLite: durable, private, with one writing transaction at a time that never acknowledges what is not in the
// file that DATABASE_URL names.
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import SqliteDatabase from "better-sqlite3";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type QueryResult,
  SqliteAdapter,
  SqliteDialect,
  SqliteDriver,
} from "kysely";
import { DatabaseUnavailable } from "../../lib/database-error.ts";
import { watchFiles } from "./sqlite-files.ts";

export interface SqliteTarget {
  kind: "sqlite";
  path: string;
}

export function openSqlite(path: string): Dialect {
  if (path !== ":memory:") createPrivately(path);
  const database = new SqliteDatabase(path);
  try {
    prepare(database);
  } catch (error) {
    database.close();
    throw error;
  }
  return new GuardedSqliteDialect({ database, assertInPlace: watchFiles(path) });
}

function prepare(database: SqliteDatabase.Database): void {
  database.pragma("journal_mode = WAL");
  // After WAL, on every open: better-sqlite3 is compiled to reopen WAL databases with synchronous=NORMAL,
  // which loses acknowledged commits when the power fails.
  database.pragma("synchronous = FULL");
  if (database.pragma("synchronous", { simple: true }) !== 2)
    throw new Error("SQLite refuses synchronous=FULL");
  const pageBytes = Number(database.pragma("page_size", { simple: true }));
  database.pragma(`wal_autocheckpoint = ${Math.floor(WAL_BYTES / pageBytes)}`);
  // Savepoints keep copies of the pages they touch, by default in a file.
  database.pragma("temp_store = MEMORY");
  database.pragma("foreign_keys = ON");
  // SQLite waits inside a statement, and the whole process with it: longer waits are the caller's, between two tries.
  database.pragma(`busy_timeout = ${BUSY_MS}`);
  keepStatements(database);
}

/**
 * The file holds registry logins and webhook secrets; SQLite gives its other files the same mode. An existing
 * file stays unopened: closing it would drop the locks that this process holds on it (POSIX).
 */
function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** Small enough to be copied back in a few milliseconds, large enough that this is seldom. */
const WAL_BYTES = 12 * 1024 * 1024;
const BUSY_MS = 10;

/** Kysely prepares at each execution; preparing once halves the cost of a small statement. */
function keepStatements(database: SqliteDatabase.Database): void {
  const prepare = database.prepare.bind(database);
  const kept = new Map<string, SqliteDatabase.Statement>();
  const lookUp = (sql: string): SqliteDatabase.Statement => {
    const known = kept.get(sql);
    if (known !== undefined) return known;
    if (kept.size >= MAX_STATEMENTS) kept.clear();
    const statement = prepare(sql);
    kept.set(sql, statement);
    return statement;
  };
  database.prepare = lookUp as typeof database.prepare;
}

const MAX_STATEMENTS = 500;

interface OpenDatabase {
  database: SqliteDatabase.Database;
  /** @throws DatabaseUnavailable when the open files are not those that the path names any more */
  assertInPlace(): void;
}

class GuardedSqliteDialect extends SqliteDialect {
  readonly #open: OpenDatabase;

  constructor(open: OpenDatabase) {
    super(open);
    this.#open = open;
  }

  override createDriver(): SqliteDriver {
    return new GuardedSqliteDriver(this.#open);
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalSqliteAdapter();
  }
}

/** SQLite can migrate in a transaction. Kysely holds that it cannot: a crash would leave half a migration. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class GuardedSqliteDriver extends SqliteDriver {
  readonly #open: OpenDatabase;
  #connection: DatabaseConnection | null = null;

  constructor(open: OpenDatabase) {
    super(open);
    this.#open = open;
  }

  override async acquireConnection() {
    this.#connection ??= guarded(await super.acquireConnection());
    // Kysely's type is its own class; the driver uses nothing of it but the interface.
    return this.#connection as Awaited<ReturnType<SqliteDriver["acquireConnection"]>>;
  }

  /** A writing transaction takes the write lock at once: a deferred one may fail half-way with SQLITE_BUSY. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    this.#open.assertInPlace();
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  /** Checks the files once more, since only what is in them may be acknowledged. */
  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await super.commitTransaction(connection);
    this.#open.assertInPlace();
  }

  /** On a full disk SQLite has rolled back already: a second time would fail, and hide why the first one was. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#open.database.inTransaction) await super.rollbackTransaction(connection);
  }
}

/** Names what is the disk's fault, or another process's, and not the statement's. */
function guarded(connection: DatabaseConnection): DatabaseConnection {
  return {
    async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      try {
        return await connection.executeQuery<R>(query);
      } catch (error) {
        throw toUnavailable(error) ?? error;
      }
    },
    streamQuery: (query, chunkSize) => connection.streamQuery(query, chunkSize),
  };
}

function toUnavailable(error: unknown): DatabaseUnavailable | null {
  if (!(error instanceof SqliteDatabase.SqliteError)) return null;
  const [, code = ""] = /^SQLITE_([A-Z]+)/.exec(error.code) ?? [];
  if (code === "BUSY" || code === "LOCKED")
    return new DatabaseUnavailable("busy", "another process writes to the database", error);
  if (code === "FULL") return new DatabaseUnavailable("full", "the database's disk is full", error);
  if (OF_THE_DISK.has(code))
    return new DatabaseUnavailable("away", `the database cannot be used: ${error.message}`, error);
  return null;
}

const OF_THE_DISK = new Set([
  "IOERR",
  "CANTOPEN",
  "READONLY",
  "CORRUPT",
  "NOTADB",
  "PERM",
  "AUTH",
  "PROTOCOL",
]);
