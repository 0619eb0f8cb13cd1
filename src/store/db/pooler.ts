// Which connections a pooler in front of PostgreSQL gives.
import { Client } from "pg";

/**
 * `session`: a server connection for each of ours. `transaction`: another one for each transaction. `statement`: none.
 */
export type PoolerMode = "session" | "transaction" | "statement";

/** A quiet pooler in transaction mode may look like `session`. @throws */
export async function poolerMode(url: string): Promise<PoolerMode> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000, query_timeout: 5_000 });
  const other = new Client({ connectionString: url, connectionTimeoutMillis: 5_000, query_timeout: 5_000 });
  try {
    await Promise.all([client.connect(), other.connect()]);
    const pid = async (of: Client) =>
      (await of.query("select pg_backend_pid() as pid")).rows[0].pid as number;
    const before = await pid(client);
    // A transaction of another client takes the connection that is free by now, if they are shared.
    await other.query("begin");
    try {
      await pid(other);
      return (await pid(client)) === before ? "session" : "transaction";
    } finally {
      await other.query("rollback");
    }
  } catch (error) {
    if (/statement pooling/i.test((error as Error).message)) return "statement";
    throw error;
  } finally {
    await Promise.allSettled([client.end(), other.end()]);
  }
}
