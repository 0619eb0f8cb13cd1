// Opening SQLite and PostgreSQL. The few other places where they differ ask the store for its kind.
import { closeSync, mkdirSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import { dirname } from "node:path";
import SqliteDatabase from "better-sqlite3";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  PostgresDialect,
  SqliteDialect,
  SqliteDriver,
} from "kysely";
import pg from "pg";

export type DatabaseTarget = { kind: "sqlite"; path: string } | { kind: "postgres"; url: string };

/** @param silentMs after which a connection to PostgreSQL that says nothing is given up */
export function openDialect(target: DatabaseTarget, silentMs = SILENT_MS): Dialect {
  return target.kind === "sqlite" ? openSqlite(target.path) : openPostgres(target.url, silentMs);
}

function openSqlite(path: string): Dialect {
  if (path !== ":memory:") createPrivately(path);
  const database = new SqliteDatabase(path);
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
  database.pragma("busy_timeout = 5000");
  keepStatements(database);
  return new ImmediateSqliteDialect({ database });
}

/** It holds registry logins and webhook secrets; SQLite gives its other files the same mode. */
function createPrivately(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  closeSync(openSync(path, "a", 0o600));
}

/** Small enough to be copied back in a few milliseconds, large enough that this is seldom. */
const WAL_BYTES = 12 * 1024 * 1024;

/** Kysely prepares at each execution; preparing once halves the cost of a small statement. */
function keepStatements(database: SqliteDatabase.Database): void {
  const prepare = database.prepare.bind(database);
  const kept = new Map<string, SqliteDatabase.Statement>();
  const lookUp = (sql: string): SqliteDatabase.Statement => {
    const known = kept.get(sql);
    if (known !== undefined) return known;
    if (kept.size >= MOST_STATEMENTS) kept.clear();
    const statement = prepare(sql);
    kept.set(sql, statement);
    return statement;
  };
  database.prepare = lookUp as typeof database.prepare;
}

const MOST_STATEMENTS = 500;

/** Writing transactions take the write lock at once: a deferred one may fail half-way with SQLITE_BUSY. */
class ImmediateSqliteDialect extends SqliteDialect {
  readonly #config: OpenDatabase;

  constructor(config: OpenDatabase) {
    super(config);
    this.#config = config;
  }

  override createDriver(): SqliteDriver {
    return new ImmediateSqliteDriver(this.#config);
  }
}

interface OpenDatabase {
  database: SqliteDatabase.Database;
}

class ImmediateSqliteDriver extends SqliteDriver {
  readonly #database: SqliteDatabase.Database;

  constructor({ database }: OpenDatabase) {
    super({ database });
    this.#database = database;
  }

  /** On a full disk SQLite has rolled back already: a second time would fail, and hide why the first one was. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.inTransaction) await super.rollbackTransaction(connection);
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }
}

function openPostgres(url: string, silentMs: number): Dialect {
  // bigint arrives as text by default; ours are times and counts, which a double holds exactly.
  const types = { getTypeParser: (oid: number, format: "text" | "binary") => parserOf(oid, format) };
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    types: types as never,
    keepAlive: true,
    connectionTimeoutMillis: CONNECTION_WITHIN_MS,
    // The other side of a silent connection must not hold its locks.
    idle_in_transaction_session_timeout: SILENT_MS,
  });
  // A connection that breaks fails the statement that needs it. Its error event, if nobody listened, would end
  // the process instead, idle or not.
  pool.on("error", () => {});
  pool.on("connect", (client) => {
    client.on("error", () => {});
    // After a failover nobody may be there to say that a connection is gone: whatever waits on it would wait for ever.
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    stream.setTimeout(silentMs, () => stream.destroy());
  });
  return new PostgresDialect({ pool });
}

/** New, or one of the pool's that has become free. */
const CONNECTION_WITHIN_MS = 30_000;
/** Longer than any statement takes, those of migrations included. */
const SILENT_MS = 120_000;

function parserOf(oid: number, format: "text" | "binary") {
  return oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format as "text");
}
