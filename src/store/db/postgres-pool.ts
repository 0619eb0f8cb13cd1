// A pool over pg's own: a statement that meets a lost connection, or a server that has become a standby or is about to
// stop, is tried again on a new one where that is safe, for a few seconds.
import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from "kysely";
import pg from "pg";
import { DatabaseUnavailable } from "../../lib/database-error.ts";
import { repeatedly } from "./busy-retry.ts";

export function steadyPool(pool: pg.Pool): PostgresPool {
  return {
    async connect() {
      const first = await repeatedly(() => pool.connect().catch((error) => Promise.reject(away(error))));
      return steadyClient(pool, first);
    },
    end: () => pool.end(),
    options: {},
  };
}

function steadyClient(pool: pg.Pool, first: pg.PoolClient): PostgresPoolClient {
  let client: pg.PoolClient | null = first;
  let isInTransaction = false;

  async function attempt(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<unknown>> {
    try {
      client ??= await pool.connect();
      return (await client.query(text, values as unknown[])) as unknown as PostgresQueryResult<unknown>;
    } catch (error) {
      const unavailable = toUnavailable(error);
      if (unavailable === null) throw error;
      client?.release(true);
      client = null;
      throw unavailable;
    }
  }

  // Kysely also has a way to read with a cursor, which nobody takes here.
  const steady = {
    async query(text: string, values: readonly unknown[]) {
      // The transaction went with its connection.
      if (isInTransaction && client === null) {
        if (text === "rollback") return ROLLED_BACK;
        throw away(new Error("the connection of the transaction is lost"));
      }
      if (isInTransaction || !REPEATABLE.test(text)) return attempt(text, values);
      const result = await repeatedly(() => attempt(text, values));
      isInTransaction = text.startsWith("begin");
      return result;
    },
    release(isToBeDestroyed?: boolean) {
      client?.release(isToBeDestroyed);
      client = null;
    },
  };
  return steady as unknown as PostgresPoolClient;
}

const REPEATABLE = /^\s*(begin|select|with)\b/i;
const ROLLED_BACK = { command: "ROLLBACK", rowCount: 0, rows: [] };

/** Null where the statement is at fault. */
function toUnavailable(error: unknown): DatabaseUnavailable | null {
  // A value that cannot be sent, and the like.
  if (error instanceof TypeError || error instanceof RangeError) return null;
  if (!(error instanceof pg.DatabaseError)) return away(error);
  if (NO_SPACE.has(error.code ?? "")) return new DatabaseUnavailable("full", error.message, error);
  return OF_THE_SERVER.test(error.code ?? "") ? away(error) : null;
}

/**
 * Connection exceptions, resources, a stop or crash of the server, a cancelled statement, a server that has become
 * read-only, a transaction that was idle for too long.
 */
const OF_THE_SERVER = /^(08|53|57|58|25006|25P03)/;
const NO_SPACE = new Set(["53100"]);

function away(error: unknown): DatabaseUnavailable {
  // The message of a failed connection may name hosts, and holds no password.
  const reason = error instanceof Error ? error.message || error.name : String(error);
  return new DatabaseUnavailable("away", `the database cannot be reached: ${reason}`, error);
}
