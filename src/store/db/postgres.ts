// Opening PostgreSQL: a pool whose connections are given up when the server behind them is of no use any more, and
// transactions with bounds of their own.
import type { Socket } from "node:net";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  PostgresDialect,
  PostgresDriver,
} from "kysely";
import pg from "pg";
import { steadyPool } from "./postgres-pool.ts";

export interface PostgresTarget {
  kind: "postgres";
  url: string;
  /** Connections at once. */
  pool?: number;
  /** A connection that says nothing for so long is given up; null: never, as for migrations. */
  silentMs?: number | null;
}

export function openPostgres({ url, pool: max = 10, silentMs = SILENT_MS }: PostgresTarget): Dialect {
  // bigint arrives as text by default; ours are times and counts, which a double holds exactly.
  const types = { getTypeParser: (oid: number, format: "text" | "binary") => parserOf(oid, format) };
  const pool = new pg.Pool({
    connectionString: url,
    max,
    types: types as never,
    keepAlive: true,
    connectionTimeoutMillis: CONNECTION_WITHIN_MS,
  });
  // A connection that breaks fails the statement that needs it. Its error event, if nobody listened, would end
  // the process instead, idle or not.
  pool.on("error", () => {});
  pool.on("connect", (client) => {
    client.on("error", () => {});
    if (silentMs === null) return;
    // After a failover nobody may be there to say that a connection is gone: whatever waits on it would wait for ever.
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    stream.setTimeout(silentMs, () => stream.destroy());
  });
  return new BoundedPostgresDialect({ pool: steadyPool(pool) }, silentMs === null ? "begin" : BEGIN);
}

/** New, or one of the pool's that has become free. */
const CONNECTION_WITHIN_MS = 10_000;
/** Longer than a statement may take. */
const SILENT_MS = 35_000;

/**
 * One packet, hence no further round trip; and nothing of the session, which behind a pooler belongs to others, too. The
 * other side of a silent connection must not hold its locks, nor must a slow one.
 */
const BEGIN = `begin; set local idle_in_transaction_session_timeout = '5s';
  set local lock_timeout = '5s'; set local statement_timeout = '30s'`;

class BoundedPostgresDialect extends PostgresDialect {
  readonly #config: ConstructorParameters<typeof PostgresDriver>[0];
  readonly #begin: string;

  constructor(config: ConstructorParameters<typeof PostgresDriver>[0], begin: string) {
    super(config);
    this.#config = config;
    this.#begin = begin;
  }

  override createDriver(): PostgresDriver {
    return new BoundedPostgresDriver(this.#config, this.#begin);
  }
}

class BoundedPostgresDriver extends PostgresDriver {
  readonly #begin: string;

  constructor(config: ConstructorParameters<typeof PostgresDriver>[0], begin: string) {
    super(config);
    this.#begin = begin;
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw(this.#begin));
  }
}

function parserOf(oid: number, format: "text" | "binary") {
  return oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format as "text");
}
