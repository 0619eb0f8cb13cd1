// A real PostgreSQL on loopback with its own defaults: every commit is synced.
import { startPostgresServer } from "../../test/support/postgres-server.ts";
import { Skipped } from "../measure.ts";
import type { Database } from "./redis.ts";

export async function startPostgres(): Promise<Database & { url: string }> {
  try {
    const server = await startPostgresServer([]);
    const url = `${server.url}/postgres`;
    return { url, pid: server.pid(), env: { POSTGRES_URL: url }, stop: () => server.stop() };
  } catch (error) {
    throw new Skipped(`PostgreSQL cannot be started: ${error}`);
  }
}
