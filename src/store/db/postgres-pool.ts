// Repeats a statement on a new connection for seconds after a loss, a stop or a failover, as long as that is safe.
import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from "kysely";
import pg from "pg";
import { DatabaseUnavailable } from "../../lib/database-error.ts";
import { retryWhileUnavailable } from "./busy-retry.ts";

export function retryingPool(pool: pg.Pool): PostgresPool {
  return {
    async connect() {
      const first = await retryWhileUnavailable(() =>
        pool.connect().catch((error) => Promise.reject(unavailable(error))),
      );
      return createRetryingClient(pool, first);
    },
    end: () => pool.end(),
    options: {},
  };
}

function createRetryingClient(pool: pg.Pool, first: pg.PoolClient): PostgresPoolClient {
  let client: pg.PoolClient | null = first;
  let isInTransaction = false;

  async function attempt(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<unknown>> {
    try {
      client ??= await pool.connect();
      return (await client.query(text, values as unknown[])) as unknown as PostgresQueryResult<unknown>;
    } catch (error) {
      const outage = toUnavailable(error);
      if (outage === null) throw error;
      client?.release(true);
      client = null;
      throw outage;
    }
  }

  // Without Kysely's cursors, which Proctor does not use.
  const retryingClient = {
    async query(text: string, values: readonly unknown[]) {
      // The server has rolled back the transaction of a lost connection.
      if (isInTransaction && client === null) {
        if (text === "rollback") return ROLLED_BACK;
        throw unavailable(new Error("the connection of the transaction is lost"));
      }
      if (isInTransaction || !REPEATABLE.test(text)) return attempt(text, values);
      const result = await retryWhileUnavailable(() => attempt(text, values));
      isInTransaction = text.startsWith("begin");
      return result;
    },
    release(isToBeDestroyed?: boolean) {
      client?.release(isToBeDestroyed);
      client = null;
    },
  };
  return retryingClient as unknown as PostgresPoolClient;
}

const REPEATABLE = /^\s*(begin|select|with)\b/i;
const ROLLED_BACK = { command: "ROLLBACK", rowCount: 0, rows: [] };

function toUnavailable(error: unknown): DatabaseUnavailable | null {
  if (error instanceof TypeError || error instanceof RangeError) return null;
  if (!(error instanceof pg.DatabaseError)) return unavailable(error);
  if (NO_SPACE.has(error.code ?? "")) return new DatabaseUnavailable("full", error.message, error);
  return SERVER_ERRORS.test(error.code ?? "") ? unavailable(error) : null;
}

/** Connection errors, exhausted resources, a stop or crash, cancelled statements, a read-only server, idle timeouts. */
const SERVER_ERRORS = /^(08|53|57|58|25006|25P03)/;
const NO_SPACE = new Set(["53100"]);

function unavailable(error: unknown): DatabaseUnavailable {
  // The message may name hosts, but never contains a password.
  const reason = error instanceof Error ? error.message || error.name : String(error);
  return new DatabaseUnavailable("away", `the database cannot be reached: ${reason}`, error);
}
