// Opens SQLite: durable, private, one writing transaction at a time.
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
  // On every open: better-sqlite3 reopens WAL with synchronous=NORMAL, which loses commits in a power failure.
  database.pragma("synchronous = FULL");
  if (database.pragma("synchronous", { simple: true }) !== 2)
    throw new Error("SQLite refuses synchronous=FULL");
  const pageBytes = Number(database.pragma("page_size", { simple: true }));
  database.pragma(`wal_autocheckpoint = ${Math.floor(WAL_BYTES / pageBytes)}`);
  // Savepoints copy pages, by default to a file.
  database.pragma("temp_store = MEMORY");
  database.pragma("foreign_keys = ON");
  // SQLite blocks the whole process while it waits. Longer waits happen between attempts (busy-retry.ts).
  database.pragma(`busy_timeout = ${BUSY_MS}`);
  cacheStatements(database);
}

/**
 * The file holds logins and webhook secrets; SQLite gives its other files the same mode. An existing file is not opened
 * here: closing it would drop this process's POSIX locks.
 */
function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** A checkpoint of this size takes a few milliseconds and is rare. */
const WAL_BYTES = 12 * 1024 * 1024;
const BUSY_MS = 10;

/** Kysely prepares at each execution. Preparing once halves the cost of a small statement. */
function cacheStatements(database: SqliteDatabase.Database): void {
  const prepare = database.prepare.bind(database);
  const cache = new Map<string, SqliteDatabase.Statement>();
  const prepareOnce = (sql: string): SqliteDatabase.Statement => {
    const cached = cache.get(sql);
    if (cached !== undefined) return cached;
    if (cache.size >= MAX_STATEMENTS) cache.clear();
    const statement = prepare(sql);
    cache.set(sql, statement);
    return statement;
  };
  database.prepare = prepareOnce as typeof database.prepare;
}

const MAX_STATEMENTS = 1_000;

interface OpenDatabase {
  database: SqliteDatabase.Database;
  /** @throws DatabaseUnavailable when the path no longer names the open files */
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

/** Kysely assumes that SQLite cannot migrate in a transaction; then a crash would leave half a migration. */
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
    // Kysely's type is a class, but the driver uses only its interface.
    return this.#connection as Awaited<ReturnType<SqliteDriver["acquireConnection"]>>;
  }

  /** `immediate` takes the write lock at once: a deferred transaction may fail half-way with SQLITE_BUSY. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    this.#open.assertInPlace();
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  /** Checks the files again, because a commit into a removed file must not be acknowledged. */
  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await super.commitTransaction(connection);
    this.#open.assertInPlace();
  }

  /** On a full disk SQLite has rolled back already: a second rollback would fail and hide the reason. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#open.database.inTransaction) await super.rollbackTransaction(connection);
  }
}

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
  if (DISK_ERRORS.has(code))
    return new DatabaseUnavailable("away", `the database cannot be used: ${error.message}`, error);
  return null;
}

const DISK_ERRORS = new Set([
  "IOERR",
  "CANTOPEN",
  "READONLY",
  "CORRUPT",
  "NOTADB",
  "PERM",
  "AUTH",
  "PROTOCOL",
]);
