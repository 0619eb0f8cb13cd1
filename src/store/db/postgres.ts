// Opens PostgreSQL: a pool that drops silent connections, and transactions with time limits.
import type { Socket } from "node:net";
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  PostgresDialect,
  PostgresDriver,
} from "kysely";
import pg from "pg";
import { retryingPool } from "./postgres-pool.ts";

export interface PostgresTarget {
  kind: "postgres";
  url: string;
  pool?: number;
  /** Drops a connection that is silent for this long. Null never does, as migrations need. */
  silentMs?: number | null;
}

export function openPostgres({ url, pool: max = 10, silentMs = MAX_SILENT_MS }: PostgresTarget): Dialect {
  // pg returns bigint as text by default. Proctor's are times and counts, which a double holds exactly.
  const types = { getTypeParser: (oid: number, format: "text" | "binary") => parserOf(oid, format) };
  const pool = new pg.Pool({
    connectionString: url,
    max,
    types: types as never,
    keepAlive: true,
    connectionTimeoutMillis: MAX_CONNECT_MS,
  });
  // A broken connection fails its next statement. Without a listener its error event would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => {
    client.on("error", () => {});
    if (silentMs === null) return;
    // After a failover nothing closes the connection, so its statements would wait for ever.
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
    stream.setTimeout(silentMs, () => stream.destroy());
  });
  return new BoundedPostgresDialect({ pool: retryingPool(pool) }, silentMs === null ? "begin" : BEGIN);
}

const MAX_CONNECT_MS = 10_000;
/** Longer than `statement_timeout`. */
const MAX_SILENT_MS = 35_000;

/** Bounds how long a silent or slow client holds its locks. `set local`: a session behind a pooler is shared. */
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
